package alertingtest

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// soon is the shortest time after which a timer can be due.
const soon = time.Millisecond

// timed calls RunTimers until it has escalated and resolved this many alerts, and a
// few more times to check that it stops there.
func (t *storeTest) timed(escalated, resolved int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	var gotEscalated, gotResolved int
	run := func() {
		e, r := t.runTimers()
		gotEscalated, gotResolved = gotEscalated+e, gotResolved+r
	}
	for gotEscalated < escalated || gotResolved < resolved {
		run()
		if time.Now().After(deadline) {
			t.Fatalf("escalated %d and resolved %d alerts, want %d and %d", gotEscalated, gotResolved, escalated, resolved)
		}
	}
	for range 3 {
		letClockMove()
		run()
	}
	check.Equal(t, "escalated", gotEscalated, escalated)
	check.Equal(t, "resolved", gotResolved, resolved)
}

func (t *storeTest) runTimers() (escalated, resolved int) {
	t.Helper()
	escalated, resolved, err := t.store.RunTimers(t.Context())
	if err != nil {
		t.Fatalf("RunTimers: %v", err)
	}
	return escalated, resolved
}

// escalating returns settings with escalations for the severity of the tests' alerts.
func escalating(steps ...alerting.Escalation) alerting.Settings {
	return alerting.Settings{Escalations: map[monitor.Severity][]alerting.Escalation{monitor.SeverityMedium: steps}}
}

func testEscalation(t *storeTest) {
	t.opened(other, "trudy", "e0", minutes(0))
	t.save(acme, escalating(
		alerting.Escalation{After: soon},
		alerting.Escalation{After: 2 * soon, Routes: []string{"manager", pager}},
	))
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.delivered(pager)
	t.timed(2, 0)
	// The first takes the routes that accept it, the second those that it names.
	first := t.claimOne(pager, routes(pager, mail))
	check.Equal(t, "Reason", first.Reason, alerting.ReasonEscalated)
	check.Equal(t, "alert", first.Alert.ID, a.ID)
	check.Equal(t, "Targets", len(first.Targets), 0)
	t.settle(alerting.Delivery{Notification: first, Outcome: alerting.OutcomeDelivered})
	check.Equal(t, "mail", t.delivered(mail), "escalated:mallory")
	second := t.claimOne(pager, routes(pager))
	check.Equal(t, "Targets", strings.Join(second.Targets, " "), "manager "+pager)
	if first.Key == second.Key {
		t.Errorf("both escalations have the key %q", first.Key)
	}
	check.Equal(t, "dropped as there is no such route", t.backlog().Dropped[driver.DroppedNoSuchRoute], 1)
	// An escalation does not change the status.
	got := t.get(a.Ref())
	check.Equal(t, "Version", got.Version, a.Version)
	check.Equal(t, "Status", got.Status, monitor.AlertActive)
	// After reopening, the escalations start again.
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	t.timed(0, 0)
	t.ok(t.Reopen(t.Context(), a.Ref(), ann, ""))
	t.timed(2, 0)
}

func testEscalationAnswered(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, ""))
	t.ok(t.Resolve(t.Context(), t.opened(acme, "eve", "e2", minutes(0)).Ref(), ann, ""))
	t.opened(acme, "trudy", "e3", minutes(0))
	// New settings also apply to existing alerts.
	t.save(acme, escalating(alerting.Escalation{After: soon}))
	t.timed(1, 0)
	// An escalation after an hour is not due.
	saved := t.save(acme, func() alerting.Settings {
		s := escalating(alerting.Escalation{After: soon}, alerting.Escalation{After: time.Hour})
		s.Version = 1
		return s
	}())
	t.timed(0, 0)
	// A maintenance window delays escalations.
	window := alerting.Suppression{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Reason: "upgrade"}
	saved.Suppressions = []alerting.Suppression{window}
	saved = t.save(acme, saved)
	t.opened(acme, "heidi", "e4", time.Now().UTC().Truncate(time.Second))
	t.timed(0, 0)
	// So does a silence, those of its alerts.
	saved.Suppressions = nil
	saved.Silences = []alerting.Silence{{Suppression: window, Rules: []string{"failed_auth"}, Keys: []string{"heidi", "judy"}}}
	t.save(acme, saved)
	t.opened(acme, "judy", "e5", time.Now().UTC().Truncate(time.Second))
	t.opened(acme, "victor", "e6", time.Now().UTC().Truncate(time.Second))
	t.timed(1, 0)
}

// testSettingsReachAll checks that new settings apply to all existing alerts, and
// that those that were saved last count.
func testSettingsReachAll(t *storeTest) {
	const alerts = 600
	var many []*monitor.Occurrence
	for i := range alerts {
		many = append(many, Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(0)))
	}
	t.put(many...)
	s := t.save(acme, escalating(alerting.Escalation{After: soon}))
	s.Escalations = nil
	s = t.save(acme, s)
	t.timed(0, 0)
	s.AutoResolve = map[monitor.Severity]time.Duration{monitor.SeverityMedium: soon}
	t.save(acme, s)
	t.timed(0, alerts)
}

func testEscalationBySeverity(t *storeTest) {
	t.save(acme, alerting.Settings{Escalations: map[monitor.Severity][]alerting.Escalation{
		monitor.SeverityMedium: {{After: soon}, {After: 2 * soon}},
		monitor.SeverityHigh:   {{After: soon}},
	}})
	t.opened(acme, "mallory", "e1", minutes(0))
	t.timed(2, 0)
	// An alert that becomes more severe starts with the escalations of its new severity.
	worse := Occurrence(acme, "mallory", "e2", minutes(1))
	worse.Finding.Severity = monitor.SeverityHigh
	t.put(worse)
	t.timed(1, 0)
	t.put(Occurrence(acme, "mallory", "e3", minutes(2)))
	t.timed(0, 0)
	keys := map[string]bool{}
	for {
		ns := t.claim(pager, 10, time.Minute)
		if len(ns) == 0 {
			break
		}
		keys[ns[0].Key] = true
		t.settleAll(ns, alerting.OutcomeDelivered, "", 0)
	}
	check.Equal(t, "keys", len(keys), 4) // including that of the opening
}

func testAutoResolve(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	looking := t.opened(acme, "eve", "e2", minutes(0))
	t.ok(t.Acknowledge(t.Context(), looking.Ref(), ann, ""))
	high := Occurrence(acme, "trudy", "e3", minutes(0))
	high.Finding.Severity = monitor.SeverityHigh
	t.put(high)
	theirs := t.opened(other, "mallory", "e4", minutes(0))
	t.delivered(pager)
	t.timed(0, 0)
	saved := t.save(acme, alerting.Settings{AutoResolve: map[monitor.Severity]time.Duration{
		monitor.SeverityMedium: soon, monitor.SeverityHigh: time.Hour,
	}})
	check.Equal(t, "setting", t.mySettings().AutoResolve[monitor.SeverityMedium], soon)
	t.timed(0, 2)

	got := t.get(a.Ref())
	check.Equal(t, "Status", got.Status, monitor.AlertResolved)
	check.Equal(t, "ResolvedBy", got.ResolvedBy, alerting.SystemActor)
	check.Equal(t, "ResolutionNotes", got.ResolutionNotes, "quiet for 1ms")
	history, err := t.History(t.Context(), a.Ref())
	if err != nil || len(history) != 2 || history[1].By != alerting.SystemActor {
		t.Errorf("History returned %v, %v", history, err)
	}
	check.Equal(t, "their alert", t.get(theirs.Ref()).Status, monitor.AlertActive)
	check.Equal(t, "open", t.count(alerting.Query{Organization: acme, Statuses: []monitor.AlertStatus{monitor.AlertActive}}), 1)
	check.Equal(t, "notifications", len(strings.Fields(t.delivered(pager))), 2)
	check.Equal(t, "their UpdatedAt", t.get(theirs.Ref()).UpdatedAt, theirs.UpdatedAt)
	// The alert is closed, and still does not count an event again.
	check.Equal(t, "retry", t.one(Occurrence(acme, "mallory", "e1", minutes(0))).Stored, monitor.StoredBefore)
	saved.AutoResolve = nil
	t.save(acme, saved)
	check.Equal(t, "next", t.one(Occurrence(acme, "mallory", "e5", minutes(1))).Stored, monitor.StoredNew)
	t.timed(0, 0)
}

// testAutoResolveQuiet checks that occurrences and changes postpone the resolution.
func testAutoResolveQuiet(t *storeTest) {
	const quiet = 200 * time.Millisecond
	t.save(acme, alerting.Settings{AutoResolve: map[monitor.Severity]time.Duration{monitor.SeverityMedium: quiet}})
	last := time.Now() // before the latest occurrence is handed over
	a := t.opened(acme, "mallory", "e0", minutes(0))
	for i := 1; time.Since(a.CreatedAt) < 2*quiet; i++ {
		t.runTimers()
		now := time.Now()
		d := t.one(Occurrence(acme, "mallory", fmt.Sprint("e", i), minutes(0)))
		if d.AlertID != a.ID {
			if busy := time.Since(last); busy < quiet {
				t.Errorf("resolved within %v of an occurrence", busy)
			}
			return // the machine is too slow to check more
		}
		last = now
	}
	t.timed(0, 1)
	if at := t.get(a.Ref()).ResolvedAt; at.Sub(a.CreatedAt) < 2*quiet {
		t.Errorf("resolved %v after it was opened", at.Sub(a.CreatedAt))
	}
}

func testConcurrentTimers(t *storeTest) {
	s := escalating(alerting.Escalation{After: soon}, alerting.Escalation{After: 2 * soon})
	s.AutoResolve = map[monitor.Severity]time.Duration{monitor.SeverityLow: soon}
	t.save(acme, s)
	const alerts = 30
	for i := range alerts {
		quiet := Occurrence(acme, fmt.Sprint("quiet", i), fmt.Sprint("q", i), minutes(0))
		quiet.Finding.Severity = monitor.SeverityLow
		t.put(Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(0)), quiet)
	}
	t.delivered(pager)
	var escalated, resolved atomic.Int64
	deadline := time.Now().Add(10 * time.Second)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for (escalated.Load() < 2*alerts || resolved.Load() < alerts) && time.Now().Before(deadline) {
				e, r, err := t.store.RunTimers(t.Context())
				if err != nil {
					t.Errorf("RunTimers: %v", err)
					return
				}
				escalated.Add(int64(e))
				resolved.Add(int64(r))
			}
		})
	}
	all.Wait()
	check.Equal(t, "escalated", escalated.Load(), 2*alerts)
	check.Equal(t, "resolved", resolved.Load(), alerts)
	check.Equal(t, "notifications", len(strings.Fields(t.delivered(pager))), 3*alerts)
}
