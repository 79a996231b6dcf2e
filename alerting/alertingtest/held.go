package alertingtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// upgrading is a suppression that lasts during the test.
func upgrading() alerting.Suppression {
	return alerting.Suppression{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Reason: "upgrade"}
}

// now is an event time that it contains.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// told runs the timers until as many notifications were delivered as are wanted, and a
// few more times to check that there are no others. They may be in any order.
func (t *storeTest) told(want ...string) {
	t.Helper()
	var got []string
	run := func() {
		t.runTimers()
		got = append(got, strings.Fields(t.delivered(pager))...)
	}
	deadline := time.Now().Add(10 * time.Second)
	for len(got) < len(want) && time.Now().Before(deadline) {
		run()
	}
	for range 3 {
		letClockMove()
		run()
	}
	slices.Sort(got)
	slices.Sort(want)
	check.Equal(t, "notifications", strings.Join(got, " "), strings.Join(want, " "))
}

// testHeldBack checks that what opens during a suppression is told when that ends.
func testHeldBack(t *storeTest) {
	window := upgrading()
	window.Until = time.Now().Add(100 * time.Millisecond)
	t.save(acme, alerting.Settings{Suppressions: []alerting.Suppression{window}})
	t.put(Occurrence(acme, "mallory", "e1", window.From), Occurrence(acme, "mallory", "e2", window.From.Add(time.Minute)))
	if t.delivered(pager) != "" {
		t.Error("notified in the window")
	}
	t.told("opened:mallory")
	// The cooldown counts from its latest occurrence.
	t.put(Occurrence(acme, "mallory", "e3", window.From.Add(2*time.Minute)))
	t.told()
	t.put(Occurrence(acme, "mallory", "e4", now()))
	t.told("repeated:mallory")
}

// testHeldBackLate checks that an event that arrives after the end is told at once.
func testHeldBackLate(t *storeTest) {
	t.save(acme, alerting.Settings{Suppressions: []alerting.Suppression{{From: minutes(0), Until: minutes(10), Reason: "upgrade"}}})
	check.Equal(t, "notification", t.one(Occurrence(acme, "mallory", "e1", minutes(1))).Notify, monitor.NotifySuppressed)
	t.told("opened:mallory")
}

// testHeldBackSettings checks that a suppression that is removed, shortened or limited
// to others does not hold back any longer, and that one of several goes on.
func testHeldBackSettings(t *storeTest) {
	window := upgrading()
	silence := alerting.Silence{Suppression: window, Keys: []string{"scanner", "eve"}}
	saved := t.save(acme, alerting.Settings{Suppressions: []alerting.Suppression{window}, Silences: []alerting.Silence{silence}})
	t.save(other, alerting.Settings{Suppressions: []alerting.Suppression{window}})
	for _, key := range []string{"mallory", "scanner", "eve"} {
		t.opened(acme, key, key, now())
	}
	closed := t.opened(acme, "closed", "closed", now())
	t.opened(other, "mallory", "e1", now())
	t.told()
	t.ok(t.Dismiss(t.Context(), closed.Ref(), ann, "a drill"))
	t.told("dismissed:closed")
	if t.reopen != nil {
		t.use(t.reopen(t.T, t.store))
	}
	saved.Suppressions[0].Until = time.Now() // shorter
	saved = t.save(acme, saved)
	t.told("opened:mallory")
	saved.Silences[0].Keys = []string{"scanner"} // fewer
	saved = t.save(acme, saved)
	t.told("opened:eve")
	saved.Silences = nil
	saved.Suppressions = nil
	t.save(acme, saved)
	t.told("opened:scanner")
	// Whoever is only told of openings hears of what was closed when it is reopened.
	t.ok(t.Reopen(t.Context(), closed.Ref(), ann, ""))
	t.told("reopened:closed", "opened:closed")
	t.save(other, alerting.Settings{Version: 1})
	t.told("opened:mallory")
}

// testHeldBackMany checks that removing a suppression reaches every alert.
func testHeldBackMany(t *storeTest) {
	const alerts = 600
	saved := t.save(acme, alerting.Settings{Suppressions: []alerting.Suppression{upgrading()}})
	var many []*monitor.Occurrence
	var want []string
	for i := range alerts {
		many = append(many, Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("e", i), now()))
		want = append(want, fmt.Sprint("opened:k", i))
	}
	t.put(many...)
	saved.Suppressions = nil
	t.save(acme, saved)
	t.told(want...)
}

// testHeldBackTimers checks that an alert is neither escalated nor resolved before its
// opening is told, and that both leave time after that.
func testHeldBackTimers(t *storeTest) {
	const quiet = 100 * time.Millisecond
	saved := t.save(acme, alerting.Settings{
		Suppressions: []alerting.Suppression{upgrading()},
		Escalations:  map[monitor.Severity][]alerting.Escalation{monitor.SeverityHigh: {{After: quiet}}},
		AutoResolve:  map[monitor.Severity]time.Duration{monitor.SeverityMedium: quiet},
	})
	a := t.opened(acme, "mallory", "e1", now())
	looking := t.opened(acme, "eve", "e2", now())
	t.ok(t.Acknowledge(t.Context(), looking.Ref(), ann, ""))
	worse := Occurrence(acme, "trudy", "e3", now())
	worse.Finding.Severity = monitor.SeverityHigh
	t.put(worse)
	t.told("acknowledged:eve")
	for time.Since(looking.CreatedAt) < 2*quiet {
		t.runTimers()
	}
	t.told()
	saved.Suppressions = nil
	removed := time.Now()
	t.save(acme, saved)
	t.told("opened:mallory", "opened:eve", "opened:trudy", "resolved:mallory", "resolved:eve", "escalated:trudy")
	if at := t.get(a.Ref()).ResolvedAt; at.Sub(removed) < quiet {
		t.Errorf("resolved %v after the suppression was removed", at.Sub(removed))
	}
}

// testOutboxOpenedLate checks that somebody who is told of openings only hears of an
// alert that had other notifications first, and hears of it once.
func testOutboxOpenedLate(t *storeTest) {
	saved := t.save(acme, alerting.Settings{Cooldown: -1, Suppressions: []alerting.Suppression{upgrading()}})
	acknowledged := t.opened(acme, "acknowledged", "e1", now())
	reopened := t.opened(acme, "reopened", "e2", now())
	t.ok(t.Acknowledge(t.Context(), acknowledged.Ref(), ann, ""))
	t.ok(t.Resolve(t.Context(), reopened.Ref(), ann, ""))
	t.ok(t.Reopen(t.Context(), reopened.Ref(), ann, ""))
	t.told("acknowledged:acknowledged", "resolved:reopened", "reopened:reopened")
	saved.Suppressions = nil
	t.save(acme, saved)
	// One is told by an occurrence, the other by its timer.
	t.put(Occurrence(acme, "acknowledged", "e3", now()))
	t.told("opened:acknowledged", "opened:reopened")
	t.put(Occurrence(acme, "acknowledged", "e4", now()), Occurrence(acme, "reopened", "e5", now()))
	t.told("repeated:acknowledged", "repeated:reopened")
	// Reopening an alert of which everybody has heard does not open it again.
	t.ok(t.Resolve(t.Context(), reopened.Ref(), ann, ""))
	t.ok(t.Reopen(t.Context(), reopened.Ref(), ann, ""))
	t.put(Occurrence(acme, "reopened", "e6", now()))
	t.told("resolved:reopened", "reopened:reopened", "repeated:reopened")
}
