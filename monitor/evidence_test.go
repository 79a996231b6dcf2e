package monitor_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// TestEvidence checks that occurrences have the JSON of their events if that is asked
// for, and only then.
func TestEvidence(t *testing.T) {
	t.Parallel()
	e, odd := newEvent("e-1", 0), newEvent("e-2", 0)
	odd.Details = map[string]any{"channel": make(chan int)} // which JSON cannot express
	text, err := e.AppendJSON(nil)
	check.NoError(t, "AppendJSON", err)
	for _, asked := range []bool{false, true} {
		var got []string
		m := newMonitor(t, func(c *monitor.Config) {
			c.Evidence, c.Detectors = asked, []monitor.Detector{&detector{name: "d"}}
			c.Alerts = storerFunc(func(os []*monitor.Occurrence) ([]monitor.Disposition, error) {
				for _, o := range os {
					got = append(got, o.Evidence)
				}
				return make([]monitor.Disposition, len(os)), nil
			})
		})
		m.ProcessBatch(t.Context(), deliveries(e, odd))
		want := []string{"", ""}
		if asked {
			want[0] = string(text)
		}
		check.Equal(t, "evidence", got, want)
	}
}
