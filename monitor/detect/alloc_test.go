package detect_test

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// TestAllocations pins that an event of a group that is known costs no
// allocation, whether a rule fires or not. Other tests would disturb the count.
func TestAllocations(t *testing.T) { //nolint:paralleltest // it counts allocations
	failure := loginFailure(0, "user-1")
	failure.ID = "0198a1f2-1c1e-7a0b-9f3d-2f6f5c0e8f11"
	values := []detect.Rule{{Name: "values", Match: any1, Distinct: func(e *monitor.Event) string { return e.Action }, Threshold: 2, Window: time.Minute}}
	steps := []detect.Rule{{Name: "steps", Window: time.Minute, Sequence: []detect.Step{
		{Match: any1, Count: 5}, {Match: action("never")},
	}}}
	tests := map[string]struct {
		options *detect.Options
		step    time.Duration
		behind  time.Duration
		fire    bool
	}{
		"nothing fires":  {nil, 2 * time.Minute, 0, false},
		"modern":         {&detect.Options{Rules: detect.Modern()}, 2 * time.Minute, 0, false},
		"late":           {nil, 4 * time.Minute, 150 * time.Second, false},
		"fires":          {nil, time.Second, 0, true},
		"at the cap":     {&detect.Options{MaxEventsPerKey: 100}, time.Millisecond, 0, true},
		"distinct":       {&detect.Options{Rules: values}, time.Second, 0, false},
		"distinct, late": {&detect.Options{Rules: values}, time.Second, 500 * time.Millisecond, false},
		"sequence":       {&detect.Options{Rules: steps}, time.Second, 0, false},
		"sequence, late": {&detect.Options{Rules: steps}, time.Second, 500 * time.Millisecond, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t, test.options, failure, test.step)
			allocations := testing.AllocsPerRun(1000, func() {
				f.next(0)
				if test.behind > 0 {
					f.next(test.behind)
				}
			})
			if allocations != 0 {
				t.Errorf("%v allocations", allocations)
			}
			if fired := len(f.r.Findings()) > 0; fired != test.fire {
				t.Errorf("fired: %v", fired)
			}
		})
	}
}
