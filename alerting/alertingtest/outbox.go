package alertingtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// The routes of the tests.
const (
	pager = "pager"
	mail  = "mail"
)

func (t *storeTest) claim(route string, limit int, lease time.Duration) []*alerting.Notification {
	t.Helper()
	ns, err := t.ClaimNotifications(t.Context(), route, limit, lease)
	if err != nil {
		t.Fatalf("ClaimNotifications: %v", err)
	}
	return ns
}

func (t *storeTest) settle(settlements ...alerting.Settlement) {
	t.Helper()
	if err := t.SettleNotifications(t.Context(), settlements); err != nil {
		t.Fatalf("SettleNotifications: %v", err)
	}
}

// settleAll settles notifications in the same way.
func (t *storeTest) settleAll(ns []*alerting.Notification, s alerting.Settlement) {
	t.Helper()
	var all []alerting.Settlement
	for _, n := range ns {
		s.Notification = n
		all = append(all, s)
	}
	t.settle(all...)
}

// route routes everything that is not routed, and returns how many that was.
func (t *storeTest) route(routes ...string) int {
	t.Helper()
	n := 0
	for {
		ns := t.claim("", 100, time.Minute)
		if len(ns) == 0 {
			return n
		}
		n += len(ns)
		t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeRouted, Routes: routes})
	}
}

// delivered claims and delivers everything on a route, and returns the reasons and
// keys of the alerts.
func (t *storeTest) delivered(route string) string {
	t.Helper()
	var all []string
	for {
		ns := t.claim(route, 100, time.Minute)
		if len(ns) == 0 {
			return strings.Join(all, " ")
		}
		for _, n := range ns {
			all = append(all, string(n.Reason)+":"+n.Alert.Finding.Key)
		}
		t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeDelivered})
	}
}

func (t *storeTest) backlog() alerting.Backlog {
	t.Helper()
	b, err := t.Backlog(t.Context())
	if err != nil {
		t.Fatalf("Backlog: %v", err)
	}
	return b
}

func (t *storeTest) dead(q alerting.DeadLetterQuery) []*alerting.Notification {
	t.Helper()
	var all []*alerting.Notification
	for n, err := range t.DeadLetters(t.Context(), q) {
		if err != nil {
			t.Fatalf("DeadLetters: %v", err)
		}
		all = append(all, n)
	}
	return all
}

func (t *storeTest) redrive(organization, route string) int {
	t.Helper()
	n, err := t.Redrive(t.Context(), organization, route)
	if err != nil {
		t.Fatalf("Redrive: %v", err)
	}
	return n
}

func keysOf(ns []*alerting.Notification) string {
	var keys []string
	for _, n := range ns {
		keys = append(keys, n.Alert.Finding.Key)
	}
	return strings.Join(keys, " ")
}

func testOutbox(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	want(t, "waiting", t.backlog().Waiting, 1)
	if at := t.backlog().OldestAt; at.Before(a.CreatedAt) || time.Since(at) > time.Minute {
		t.Errorf("the oldest is from %v", at)
	}
	want(t, "claimed on a route", len(t.claim(pager, 10, time.Minute)), 0)
	ns := t.claim("", 10, time.Minute)
	if len(ns) != 1 {
		t.Fatalf("%d notifications were claimed, want 1", len(ns))
	}
	n := ns[0]
	want(t, "Reason", n.Reason, alerting.ReasonOpened)
	want(t, "Key", n.Key, a.ID+"/"+monitor.EventKeyOf(acme, "e1").String())
	want(t, "Route", n.Route, "")
	want(t, "alert", n.Alert.ID, a.ID)
	want(t, "title", n.Alert.Title, a.Title)
	want(t, "organization", n.Alert.OrganizationID, acme)
	n.Alert.Tags = nil
	n.Alert.Title = "spoiled"
	want(t, "claimed twice", len(t.claim("", 10, time.Minute)), 0)
	t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeRouted, Routes: []string{pager, mail}})
	want(t, "waiting", t.backlog().Waiting, 2)

	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, ""))
	ns = t.claim(pager, 10, time.Minute)
	if len(ns) != 1 {
		t.Fatalf("%d notifications were claimed, want 1", len(ns))
	}
	want(t, "Key", ns[0].Key, n.Key)
	want(t, "Route", ns[0].Route, pager)
	want(t, "Attempts", ns[0].Attempts, 1)
	want(t, "Reason", ns[0].Reason, alerting.ReasonOpened)
	want(t, "status of the alert now", ns[0].Alert.Status, monitor.AlertAcknowledged)
	want(t, "title", ns[0].Alert.Title, a.Title)
	t.wantTime("CreatedAt", ns[0].CreatedAt, n.CreatedAt)
	t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeDelivered})
	want(t, "mail", t.delivered(mail), "opened:mallory")
	want(t, "acknowledgement", t.route(), 1)
	want(t, "waiting", t.backlog().Waiting, 0)
	// Settling what is gone does nothing.
	t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeRetry})
	want(t, "waiting", t.backlog().Waiting, 0)
	// A retried occurrence is not notified again.
	t.put(Occurrence(acme, "mallory", "e1", minutes(0)), Occurrence(acme, "mallory", "e2", minutes(1)))
	want(t, "waiting", t.backlog().Waiting, 0)
}

func testOutboxReasons(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.put(Occurrence(acme, "mallory", "e2", minutes(4)))
	t.put(Occurrence(acme, "mallory", "e3", minutes(5)), Occurrence(acme, "mallory", "e4", minutes(10)))
	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, ""))
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	t.ok(t.Reopen(t.Context(), a.Ref(), ann, ""))
	t.ok(t.Dismiss(t.Context(), a.Ref(), ann, ""))
	keys := map[string]bool{}
	var reasons []string
	for {
		ns := t.claim("", 10, time.Minute)
		if len(ns) == 0 {
			break
		}
		want(t, "claimed of one alert", len(ns), 1)
		keys[ns[0].Key] = true
		reasons = append(reasons, string(ns[0].Reason))
		t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeRouted, Routes: []string{pager}})
	}
	const all = "opened repeated repeated acknowledged resolved reopened dismissed" //nolint:dupword // two were repeated
	want(t, "reasons", strings.Join(reasons, " "), all)
	want(t, "keys", len(keys), len(reasons))
	want(t, "delivered", t.delivered(pager), strings.ReplaceAll(all, " ", ":mallory ")+":mallory")
}

func testOutboxSuppression(t *storeTest) {
	t.save(acme, alerting.Settings{
		Suppressions: []alerting.Suppression{{From: minutes(0), Until: minutes(10), Reason: "upgrade"}},
	})
	t.put(Occurrence(acme, "mallory", "e1", minutes(1)), Occurrence(acme, "mallory", "e2", minutes(2)))
	want(t, "held back", t.route(), 0)
	t.put(Occurrence(acme, "mallory", "e3", minutes(10)))
	want(t, "after the window", t.route(pager), 1)
	want(t, "delivered", t.delivered(pager), "repeated:mallory")
}

func testOutboxOrder(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.put(Occurrence(acme, "mallory", "e2", minutes(5)))
	t.opened(acme, "eve", "e3", minutes(0))
	t.opened(other, "trudy", "e4", minutes(0))
	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, ""))
	t.route(pager)
	first := t.claim(pager, 2, time.Minute)
	want(t, "the oldest", keysOf(first), "mallory eve")
	want(t, "what another claims", keysOf(t.claim(pager, 10, time.Minute)), "trudy")
	// What comes after waits for what is tried again.
	t.settle(alerting.Settlement{Notification: first[0], Outcome: alerting.OutcomeRetry, RetryAfter: time.Hour, Failure: "busy"})
	want(t, "while the oldest waits", len(t.claim(pager, 10, time.Minute)), 0)
	t.settle(alerting.Settlement{Notification: first[0], Outcome: alerting.OutcomeDelivered})
	want(t, "then", t.delivered(pager), "repeated:mallory acknowledged:mallory")
}

func testOutboxLease(t *storeTest) {
	t.opened(acme, "mallory", "e1", minutes(0))
	t.route(pager)
	lost := t.claim(pager, 1, time.Millisecond)
	letClockMove()
	ns := t.claim(pager, 1, time.Minute)
	if len(lost) != 1 || len(ns) != 1 {
		t.Fatalf("claimed %d and then %d, want 1 each", len(lost), len(ns))
	}
	want(t, "Attempts", ns[0].Attempts, 2)
	// Whoever lost the lease has no say.
	t.settle(alerting.Settlement{Notification: lost[0], Outcome: alerting.OutcomeDead, Failure: "late"})
	t.settle(alerting.Settlement{Notification: lost[0], Outcome: alerting.OutcomeRetry, Failure: "late"})
	want(t, "claimed in the lease", len(t.claim(pager, 1, time.Minute)), 0)
	want(t, "dead letters", t.backlog().Dead, 0)
	// Unless it was delivered.
	t.settle(alerting.Settlement{Notification: lost[0], Outcome: alerting.OutcomeDelivered})
	want(t, "waiting", t.backlog().Waiting, 0)
	t.settle(alerting.Settlement{Notification: ns[0], Outcome: alerting.OutcomeRetry})
	want(t, "waiting", t.backlog().Waiting, 0)
}

func testOutboxRetry(t *storeTest) {
	t.opened(acme, "mallory", "e1", minutes(0))
	t.route(pager)
	for attempt := 1; attempt <= 3; attempt++ {
		ns := t.claim(pager, 1, time.Minute)
		if len(ns) != 1 {
			t.Fatalf("%d were claimed for attempt %d", len(ns), attempt)
		}
		want(t, "Attempts", ns[0].Attempts, attempt)
		if attempt > 1 {
			want(t, "Failure", ns[0].Failure, fmt.Sprint("failure ", attempt-1))
		}
		t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeRetry, Failure: fmt.Sprint("failure ", attempt)})
		letClockMove()
	}
	t.settleAll(t.claim(pager, 1, time.Minute), alerting.Settlement{Outcome: alerting.OutcomeRetry, RetryAfter: time.Hour})
	want(t, "claimed too early", len(t.claim(pager, 1, time.Minute)), 0)
	want(t, "waiting", t.backlog().Waiting, 1)
}

// testOutboxFairness makes sure that what fails again and again does not keep
// others waiting.
func testOutboxFairness(t *storeTest) {
	t.opened(acme, "poisoned", "e1", minutes(0))
	t.opened(acme, "eve", "e2", minutes(0))
	t.route(pager)
	t.settleAll(t.claim(pager, 1, time.Minute), alerting.Settlement{Outcome: alerting.OutcomeRetry, Failure: "poison"})
	letClockMove()
	want(t, "the next", keysOf(t.claim(pager, 1, time.Minute)), "eve")
}

func testOutboxRouting(t *storeTest) {
	t.opened(acme, "mallory", "e1", minutes(0))
	lost := t.claim("", 1, time.Millisecond)
	letClockMove()
	ns := t.claim("", 1, time.Minute)
	routed := alerting.Settlement{Outcome: alerting.OutcomeRouted, Routes: []string{pager, mail}}
	t.settleAll(ns, routed)
	t.settleAll(ns, routed)
	t.settleAll(lost, routed)
	want(t, "waiting", t.backlog().Waiting, 2)
	want(t, "pager", t.delivered(pager), "opened:mallory")
	t.settleAll(ns, routed)
	want(t, "pager again", t.delivered(pager), "")
	// What takes no route is gone.
	t.opened(acme, "eve", "e2", minutes(0))
	want(t, "routed", t.route(), 1)
	want(t, "mail", t.delivered(mail), "opened:mallory")
	want(t, "waiting", t.backlog().Waiting, 0)
}

func testDeadLetters(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.opened(acme, "eve", "e2", minutes(0))
	t.opened(other, "trudy", "e3", minutes(0))
	t.put(Occurrence(acme, "mallory", "e4", minutes(5)))
	t.route(pager, mail)
	ns := t.claim(pager, 10, time.Minute)
	t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeDead, Failure: "410 gone"})
	t.settleAll(t.claim(mail, 1, time.Minute), alerting.Settlement{Outcome: alerting.OutcomeDead, Failure: "no mailbox"})

	b := t.backlog()
	want(t, "dead", b.Dead, 4)
	want(t, "waiting", b.Waiting, 4)
	// What follows a dead letter does not wait for it.
	want(t, "pager", t.delivered(pager), "repeated:mallory")

	dead := t.dead(alerting.DeadLetterQuery{Organization: acme, Route: pager})
	want(t, "dead letters of acme", keysOf(dead), "mallory eve")
	want(t, "Failure", dead[0].Failure, "410 gone")
	want(t, "Attempts", dead[0].Attempts, 1)
	want(t, "alert", dead[0].Alert.ID, a.ID)
	want(t, "of every route", len(t.dead(alerting.DeadLetterQuery{Organization: acme})), 3)
	want(t, "of everybody", keysOf(t.dead(alerting.DeadLetterQuery{Organization: alerting.AllOrganizations, Route: pager})), "mallory eve trudy")
	want(t, "the oldest", len(t.dead(alerting.DeadLetterQuery{Organization: alerting.AllOrganizations, Limit: 2})), 2)
	want(t, "of nobody", len(t.dead(alerting.DeadLetterQuery{Organization: "nobody"})), 0)
	for range t.DeadLetters(t.Context(), alerting.DeadLetterQuery{Organization: acme}) {
		break // may be left
	}

	want(t, "redriven of another route", t.redrive(acme, "none"), 0)
	want(t, "redriven of nobody", t.redrive("nobody", pager), 0)
	letClockMove()
	want(t, "redriven", t.redrive(acme, pager), 2)
	again := t.claim(pager, 10, time.Minute)
	want(t, "due again", keysOf(again), "mallory eve")
	want(t, "Attempts", again[0].Attempts, 1)
	want(t, "Key", again[0].Key, dead[0].Key)
	if !again[0].CreatedAt.After(dead[0].CreatedAt) {
		t.Errorf("CreatedAt is still %v", again[0].CreatedAt)
	}
	want(t, "redriven of everybody", t.redrive(alerting.AllOrganizations, pager), 1)
	want(t, "theirs", t.delivered(pager), "opened:trudy")
}

func testOutboxInput(t *storeTest) {
	for range 2 {
		for _, limit := range []int{-1, alerting.MaxLimit + 1} {
			for _, err := range t.DeadLetters(t.Context(), alerting.DeadLetterQuery{Organization: acme, Limit: limit}) {
				t.wantInvalid("DeadLetters", err, "DeadLetterQuery.Limit")
			}
		}
	}
	for _, err := range t.DeadLetters(t.Context(), alerting.DeadLetterQuery{}) {
		t.wantError("DeadLetters", err, monitor.ErrNoOrganization)
	}
	_, err := t.Redrive(t.Context(), "", pager)
	t.wantError("Redrive", err, monitor.ErrNoOrganization)
	want(t, "claimed", len(t.claim(pager, 0, time.Minute)), 0)
	t.settle()
}

func testOutboxPurge(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.opened(acme, "eve", "e2", minutes(0))
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	t.route(pager)
	ns := t.claim(pager, 1, time.Minute)
	if n, err := t.Purge(t.Context(), acme, time.Now().Add(time.Hour)); err != nil || n != 1 {
		t.Fatalf("Purge: %d, %v", n, err)
	}
	t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeRetry})
	want(t, "what is left", t.delivered(pager), "opened:eve")
	want(t, "waiting", t.backlog().Waiting, 0)
}

func testOutboxTenants(t *storeTest) {
	mine := t.opened(acme, "mallory", "e1", minutes(0))
	o := Occurrence(other, "mallory", "e1", minutes(0))
	o.Fingerprint, o.EventKey = mine.Fingerprint, monitor.EventKeyOf(acme, "e1")
	t.put(o)
	t.route(pager)
	ns := t.claim(pager, 10, time.Minute)
	var organizations []string
	for _, n := range ns {
		organizations = append(organizations, n.Alert.OrganizationID)
	}
	slices.Sort(organizations)
	want(t, "organizations", strings.Join(organizations, " "), acme+" "+other)
	// Settling with another tenant's name changes nothing.
	forged := *ns[0]
	forged.Alert = forged.Alert.Clone()
	forged.Alert.OrganizationID = "nobody"
	t.settle(alerting.Settlement{Notification: &forged, Outcome: alerting.OutcomeDelivered})
	want(t, "waiting", t.backlog().Waiting, 2)
}

func testConcurrentOutbox(t *storeTest) {
	const alerts, workers = 40, 8
	for i := range alerts {
		t.put(Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(0)),
			Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("later", i), minutes(5)))
	}
	var mu sync.Mutex
	delivered := map[string]int{}
	var order []string
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				routed, err := t.ClaimNotifications(t.Context(), "", 7, time.Minute)
				if err != nil {
					t.Errorf("ClaimNotifications: %v", err)
					return
				}
				t.settleAll(routed, alerting.Settlement{Outcome: alerting.OutcomeRouted, Routes: []string{pager}})
				ns, err := t.ClaimNotifications(t.Context(), pager, 3, time.Minute)
				if err != nil {
					t.Errorf("ClaimNotifications: %v", err)
					return
				}
				mu.Lock()
				for _, n := range ns {
					delivered[n.Key]++
					order = append(order, string(n.Reason)+n.Alert.ID)
				}
				done := len(delivered) == 2*alerts
				mu.Unlock()
				t.settleAll(ns, alerting.Settlement{Outcome: alerting.OutcomeDelivered})
				if done {
					return
				}
			}
		})
	}
	all.Wait()
	for key, n := range delivered {
		want(t, "deliveries of "+key, n, 1)
	}
	for i, d := range order {
		if id, repeated := strings.CutPrefix(d, string(alerting.ReasonRepeated)); repeated &&
			!slices.Contains(order[:i], string(alerting.ReasonOpened)+id) {
			t.Errorf("alert %s was repeated before it was opened", id)
		}
	}
	want(t, "waiting", t.backlog().Waiting, 0)
}
