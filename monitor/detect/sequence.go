package detect

import (
	"math"

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
// completes the steps up to one of them, in order. Of all chains only the one
// that started last matters, because it is the last to leave the window.
//
// chains[i][k] is the start of the best chain that completes step i if it gets
// no more than k more events: of the chain whose last k+1 events are the latest
// k+1 events of step i. So a step is a queue of as many starts as it needs
// events, and its last element is the start of the best chain that completes it.
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
	for i := len(c) - 1; i >= 0; i-- {
		if mark&(1<<i) == 0 {
			continue
		}
		start := ts
		if i > 0 {
			start = c.best(i - 1)
		}
		copy(c[i][1:], c[i])
		c[i][0] = start
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
