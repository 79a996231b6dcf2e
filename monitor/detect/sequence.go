package detect

import (
	"math"
	"slices"

	"github.com/auditwarden/auditwarden/monitor"
)

// maxSteps is the number of steps that fit into a mark.
const maxSteps = 64

// stepsOf returns the set of the steps that the event matches.
func stepsOf(steps []Step, e *monitor.Event) (mark uint64) {
	for i := range steps {
		if steps[i].Match(e) {
			mark |= 1 << i
		}
	}
	return mark
}

// never is the start of a chain that does not exist.
const never = math.MinInt64

// chains is the tally of a rule with a sequence. A chain is a run of events that
// completes steps in order; of those that complete the same steps only the one
// that started last matters, since it leaves the window last.
//
// chains[i] has a place for each event that step i takes. The k-th holds, for
// the latest k+1 events of step i, the start of the best chain that completes
// the steps before them: as if these events were the end of the step. So the
// last place holds the start of the best chain that completes step i, and a
// further event of the step moves every start one place up.
type chains [][]int64

func newChains(steps []Step) chains {
	c := make(chains, len(steps))
	for i, step := range steps {
		c[i] = make([]int64, max(1, step.Count))
	}
	return c
}

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
// completed the last one.
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
