package window_test

import (
	"math"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// group returns a group with an event at each of the times, which are also their
// numbers and marks.
func group(kind window.Kind, times ...int64) *window.Group {
	g := window.NewGroup(math.MinInt64)
	for _, ts := range times {
		g.Insert(window.Stamp{Time: ts, Sequence: uint64(ts)}, uint64(ts), kind, math.MaxInt)
	}
	return g
}

// TestAgain judges events that were counted before.
func TestAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range []window.Kind{window.Events, window.Distinct} {
		rule := window.Rule{Kind: kind, Length: 10, Threshold: 3, MaxEvents: 100}
		g := group(kind, 1, 5, 9, 10, 11, 14, 15, 19, 20)
		var s window.Scratch
		again := func(ts int64, first int) (hits []window.Hit, end int) {
			end = g.Again(&rule, &window.Observation{Stamp: window.Stamp{Time: ts, Sequence: uint64(ts)}}, &s, first)
			return s.Hits, end
		}
		hits, end := again(5, 0)
		check.Equal(t, "those that have 5 in their window", hits, []window.Hit{
			{Index: 2, Count: 3, Completed: true}, {Index: 3, Count: 4, Completed: true},
			{Index: 4, Count: 4, Completed: true}, {Index: 5, Count: 5, Completed: true},
		})
		check.Equal(t, "end", end, 6) // 15 has not
		hits, end = again(9, end)
		check.Equal(t, "those with 9 that were not judged", hits, []window.Hit{{Index: 6, Count: 5, Completed: true}})
		check.Equal(t, "end", end, 7)
		hits, _ = again(20, 0)
		check.Equal(t, "the newest", hits, []window.Hit{{Index: 8, Count: 5}})
	}
}

// TestHidden counts events that are not in the group, for the event only whose
// window they are in.
func TestHidden(t *testing.T) {
	t.Parallel()
	rule := window.Rule{Kind: window.Events, Length: 10, Threshold: 3, MaxEvents: 100}
	for _, repeated := range []bool{false, true} {
		g := group(window.Events, 1, 6)
		if repeated {
			g = group(window.Events, 1, 5, 6)
		}
		var s window.Scratch
		o := &window.Observation{Stamp: window.Stamp{Time: 5, Sequence: 5}, Horizon: -10, Hidden: 4, Repeated: true}
		check.Equal(t, "truncated", g.Observe(&rule, o, &s), 0)
		check.Equal(t, "hits", s.Hits, []window.Hit{{Index: 1, Count: 6}, {Index: 2, Count: 3, Completed: true}})
	}
}
