package monitor_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// forged is a verifier that fails the events with that action.
func forged(c *monitor.Config) {
	c.AllowUnverified, c.MaxSkew = false, skew
	c.Verifier = verdicts(map[string]monitor.Verification{
		"forged": {Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged},
	})
}

var farAhead = time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC)

// TestIntegrityFindingsHaveTheTimeOfTheIntake has events of other times fail.
func TestIntegrityFindingsHaveTheTimeOfTheIntake(t *testing.T) {
	t.Parallel()
	claims := map[string]time.Time{"the future": farAhead, "the past": time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)}
	for name, claimed := range claims {
		synctest.Test(t, func(t *testing.T) {
			s := &store{}
			m := newMonitor(t, func(c *monitor.Config) {
				forged(c)
				c.Alerts, c.RedeliveryHorizon, c.IntegrityAlertRate = s, time.Minute, 1
			})
			event := func(action string) *monitor.Event {
				e := newEvent("e", 0)
				e.Action, e.Timestamp = action, claimed
				return e
			}
			want := func(rule string, e *monitor.Event) {
				t.Helper()
				now := time.Now().UTC()
				f := process(t, m, e).Findings[0]
				check.Equal(t, "rule", f.Rule, rule)
				check.Equal(t, rule+" of "+name, f.Event.Timestamp, now)
				check.Equal(t, rule+" has the claimed time in its detail",
					strings.Contains(f.Detail, claimed.Format(time.RFC3339)), true)
			}
			begin := time.Now().UTC()
			want(monitor.RuleTampered, event("forged"))
			want(monitor.RuleTampered, event("forged")) // it is over the rate
			check.NoError(t, "flush", m.Flush(t.Context()))
			process(t, m, event("data.read"))
			want(monitor.RuleConflicting, event("data.write"))
			advance(time.Minute + 1)
			want(monitor.RuleReplayed, event("data.read"))
			for i, a := range s.list() {
				seen := begin
				if i == 2 {
					seen = time.Now().UTC()
				}
				check.Equal(t, a.Finding.Rule+": first seen", a.FirstSeen, seen)
				check.Equal(t, a.Finding.Rule+": last seen", a.LastSeen, seen)
			}
		})
	}
}

// TestForgedTimesHideNoForgery has an operator with a maintenance window at night
// be told of forgeries by day, whatever the events say of their time.
func TestForgedTimesHideNoForgery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		advance(9*time.Hour + 43*time.Minute) // from midnight
		alerts, err := alerting.NewManager(memalerts.New(nil), nil)
		check.NoError(t, "NewManager", err)
		_, err = alerts.SaveSettings(t.Context(), "operator", alerting.Settings{
			Suppressions: []alerting.Suppression{{Start: "02:00", End: "03:00", TimeZone: "UTC", Reason: "backups"}},
		}, "ann")
		check.NoError(t, "SaveSettings", err)
		m := newMonitor(t, func(c *monitor.Config) { forged(c); c.Alerts = alerts })

		due := 0
		for i := range 50 {
			e := newEvent("", 0)
			e.Action = "forged"
			e.Timestamp = time.Now().UTC().Truncate(24 * time.Hour).Add(2*time.Hour + 30*time.Minute)
			if i == 25 {
				e.Timestamp = farAhead
			}
			if process(t, m, e).Dispositions[0].Notify == monitor.NotifyDue {
				due++
			}
			advance(time.Minute)
		}
		check.Equal(t, "notifications in 50 minutes with a cooldown of five", due, 10)
	})
}

// TestFarFutureEndsNoNotifications has accepted events of the year 2261 join an
// alert.
func TestFarFutureEndsNoNotifications(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		alerts, err := alerting.NewManager(memalerts.New(nil), nil)
		check.NoError(t, "NewManager", err)
		m := newMonitor(t, func(c *monitor.Config) {
			c.Detectors, c.Alerts, c.MaxSkew = []monitor.Detector{&detector{name: "all"}}, alerts, skew
		})
		due := 0
		for i := range 50 {
			e := newEvent("", 0)
			e.Timestamp = time.Now()
			if i%10 == 0 {
				e.Timestamp = farAhead
			}
			r := process(t, m, e)
			check.Equal(t, "the finding's own time", r.Findings[0].Event.Timestamp, e.Timestamp)
			if r.Dispositions[0].Notify == monitor.NotifyDue {
				due++
			}
			a, err := alerts.Get(t.Context(), monitor.AlertRef{Organization: "org-1", ID: r.Dispositions[0].AlertID})
			check.NoError(t, "Get", err)
			if latest := time.Now().Add(skew); a.LastSeen.After(latest) || a.FirstSeen.After(latest) {
				t.Errorf("seen from %v to %v, and it is %v", a.FirstSeen, a.LastSeen, time.Now())
			}
			advance(time.Minute)
		}
		if due < 8 {
			t.Errorf("%d notifications in 50 minutes with a cooldown of five", due)
		}
	})
}
