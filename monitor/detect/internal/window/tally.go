package window

import (
	"math"
	"slices"
)

// A tally tells what a window comes to in which not every event counts the same.
type tally interface {
	// reset empties the tally.
	reset()
	// enter adds the event that the window now ends with, and returns the count
	// that the threshold is compared with. The window begins after limit.
	enter(ts, limit int64, mark uint64) int
	// leave removes the event that came first.
	leave(mark uint64)
}

func newTally(r *Rule) tally {
	if r.Kind == Distinct {
		return values{}
	}
	c := make(chains, len(r.Steps))
	for i, count := range r.Steps {
		c[i] = make([]int64, count)
	}
	c.reset()
	return c
}

// values tell how often each value is in the window.
type values map[uint64]int

func (v values) reset() { clear(v) }

func (v values) enter(_, _ int64, mark uint64) int {
	v[mark]++
	return len(v)
}

func (v values) leave(mark uint64) {
	if v[mark]--; v[mark] <= 0 {
		delete(v, mark)
	}
}

// never is the start of a chain that does not exist.
const never = math.MinInt64

// chains is the tally of a sequence. A chain is a run of events that completes
// steps in order; of those that complete the same steps only the one that
// started last matters, since it leaves the window last.
//
// chains[i] has a place for each event that step i takes. The k-th holds, for
// the latest k+1 events of step i, the start of the best chain that completes
// the steps before them: as if these events were the end of the step. So the
// last place holds the start of the best chain that completes step i, and a
// further event of the step moves every start one place up.
type chains [][]int64

func (c chains) reset() {
	for _, starts := range c {
		for i := range starts {
			starts[i] = never
		}
	}
}

// best returns the start of the best chain that completes step i.
func (c chains) best(i int) int64 { return c[i][len(c[i])-1] }

// enter returns the number of steps that are complete: all only if this event
// completed the last one. Its mark is the set of the steps that it matches.
func (c chains) enter(ts, limit int64, mark uint64) int {
	// From the last step back, so that the event is used once in a chain.
	for i, starts := range slices.Backward(c) {
		if mark&(1<<i) == 0 {
			continue
		}
		copy(starts[1:], starts)
		if starts[0] = ts; i > 0 {
			starts[0] = c.best(i - 1)
		}
	}
	complete := 0
	for complete < len(c) && c.best(complete) > limit {
		complete++
	}
	if last := len(c) - 1; mark&(1<<last) == 0 {
		complete = min(complete, last)
	}
	return complete
}

// leave does nothing: chains leave the window by their start.
func (c chains) leave(uint64) {}
