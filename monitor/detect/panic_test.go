package detect_test

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// TestPanicOfOneEvent has functions of a rule panic at one event of a batch: it concerns
// that event and that rule, and every other event counts once, in memory and over
// shared windows.
func TestPanicOfOneEvent(t *testing.T) {
	t.Parallel()
	odd := func(e *monitor.Event) bool { return e.PrincipalID == "odd" }
	for _, windows := range []detect.Windows{nil, &monitortest.MemoryWindows{}} {
		tr := newTrail(t, &detect.Options{Windows: windows, Rules: []detect.Rule{
			{Name: "match", Threshold: 3, Window: time.Hour, Match: func(e *monitor.Event) bool { return !odd(e) || panicking() }},
			{Name: "key", Threshold: 3, Window: time.Hour, Match: any1, GroupBy: func(e *monitor.Event, organization string) detect.Group {
				if odd(e) {
					panicking()
				}
				return detect.ByPrincipal(e, organization)
			}},
			{Name: "all", Threshold: 4, Window: time.Hour, Match: any1, GroupBy: detect.ByOrganization},
		}})
		es := []*monitor.Event{at(0, "x", "u"), at(1, "x", "odd"), at(2, "x", "u"), at(3, "x", "u")}
		var arrivals []monitor.Arrival
		for _, e := range es {
			arrivals = append(arrivals, tr.arrival(e))
		}
		rs := reporters(arrivals)
		check.NoError(t, "detect", tr.engine.DetectBatch(t.Context(), es, rs))
		for i, r := range rs {
			check.Equal(t, "failed", r.Failure() != nil, i == 1)
		}
		wantLines(t, rs[3].Findings(), "match org-1/u 3 +3ns", "key org-1/u 3 +3ns", "all org-1/org-1 4 +3ns")
		wantLines(t, tr.add(at(4, "x", "u")), "match org-1/u 4 +4ns", "key org-1/u 4 +4ns", "all org-1/org-1 5 +4ns")
	}
}

func panicking() bool { panic("odd") }
