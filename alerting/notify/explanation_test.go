package notify_test

import (
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// alertOf returns an alert of a rule with these texts.
func alertOf(g *monitor.Guidance) *monitor.Alert {
	at := time.Date(2026, 3, 1, 2, 30, 0, 0, time.UTC)
	o := &monitor.Occurrence{Count: 1, FirstSeen: at, LastSeen: at, Finding: monitor.Finding{
		Rule: "reads", Key: "mallory", KeyField: "principalId", Event: monitor.EventRef{Timestamp: at},
		Count: 20, Threshold: 20, Window: 10 * time.Minute, Guidance: g,
	}}
	return o.Alert()
}

func TestExplanation(t *testing.T) {
	t.Parallel()
	const counted = "20 different patients read in 10 minutes for principal mallory, up to 2026-03-01 02:30:00 UTC (threshold 20)"
	g := monitor.Guidance{
		Description: "Somebody is curious.", NextSteps: "Ask {key}.", Runbook: "https://example.com/1",
		Counts: []string{"different patients read"},
	}
	check.Equal(t, "text", notify.Explanation(alertOf(&g)), `Somebody is curious.
Counted: `+counted+`
When: threshold reached at 2026-03-01 02:30:00 UTC, no further event since
What to do: Ask mallory.
Runbook: https://example.com/1`)
	check.Equal(t, "text that says what was counted",
		notify.Explanation(alertOf(&monitor.Guidance{Description: "{summary}. So what?", Counts: g.Counts})), counted+`. So what?
When: threshold reached at 2026-03-01 02:30:00 UTC, no further event since`)

	// The texts of a rule are lines like those of an event.
	hostile := alertOf(&monitor.Guidance{
		Description: notifytest.Hostile, NextSteps: notifytest.Hostile, Runbook: notifytest.Hostile, Counts: []string{notifytest.Hostile},
	})
	if text := notify.Explanation(hostile); strings.Count(text, "\n") != 4 || strings.ContainsAny(text, "\r\x00\u2028\u202e") {
		t.Errorf("text %q", text)
	}
}

func TestOccurrences(t *testing.T) {
	t.Parallel()
	const first, last = "2026-03-01 02:30:00 UTC", "2026-03-01 02:40:00 UTC"
	for _, test := range []struct {
		window time.Duration
		n      int64
		want   string
	}{
		{time.Minute, 1, "threshold reached at " + first + ", no further event since"},
		{time.Minute, 2, "threshold reached at " + first + ", 1 further event since, the last at " + last},
		{time.Minute, 64, "threshold reached at " + first + ", 63 further events since, the last at " + last},
		{0, 1, "once, at " + first},
		{0, 2, "2 times, from " + first + " to " + last},
	} {
		a := alertOf(nil)
		a.Finding.Window, a.Occurrences, a.LastSeen = test.window, test.n, a.FirstSeen.Add(10*time.Minute)
		check.Equal(t, test.want, notify.Occurrences(a), test.want)
	}
}
