package alertingtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// The names of the routes of the tests.
const (
	pager = "pager"
	mail  = "mail"
)

// routes returns routes of these names that accept all notifications.
func routes(names ...string) []alerting.Route {
	var all []alerting.Route
	for _, name := range names {
		all = append(all, alerting.Route{Name: name, Reasons: alerting.Reasons(), ExpireAfter: time.Hour})
	}
	return all
}

// claim claims notifications on the given route, which is the only one.
func (t *storeTest) claim(route string, limit int, lease time.Duration) []*alerting.Notification {
	t.Helper()
	return t.claimOf(route, routes(route), limit, lease)
}

// claimOf claims notifications on one of several routes.
func (t *storeTest) claimOf(route string, all []alerting.Route, limit int, lease time.Duration) []*alerting.Notification {
	t.Helper()
	return check.Must(t.store.ClaimNotifications(t.Context(), route, all, nil, limit, lease))(t)
}

// claimOne claims a notification, which must be the only one that can be claimed.
func (t *storeTest) claimOne(route string, all []alerting.Route) *alerting.Notification {
	t.Helper()
	ns := t.claimOf(route, all, 10, time.Minute)
	if len(ns) != 1 {
		t.Fatalf("%d notifications were claimed on %s, want 1", len(ns), route)
	}
	return ns[0]
}

// route assigns all notifications without a route to these routes.
func (t *storeTest) route(names ...string) {
	t.Helper()
	t.claimOf(names[0], routes(names...), 0, time.Minute)
}

func (t *storeTest) settle(ds ...alerting.Delivery) {
	t.Helper()
	check.NoError(t, "SettleNotifications", t.store.SettleNotifications(t.Context(), ds))
}

// settleAll settles all notifications with the same outcome.
func (t *storeTest) settleAll(ns []*alerting.Notification, outcome alerting.Outcome, failure string, retryAfter time.Duration) {
	t.Helper()
	var ds []alerting.Delivery
	for _, n := range ns {
		n.Failure = failure
		ds = append(ds, alerting.Delivery{Notification: n, Outcome: outcome, RetryAfter: retryAfter})
	}
	t.settle(ds...)
}

// delivered claims and delivers all notifications on a route. It returns their
// reasons and the keys of their alerts.
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
		t.settleAll(ns, alerting.OutcomeDelivered, "", 0)
	}
}

func (t *storeTest) backlog() alerting.Backlog {
	t.Helper()
	return check.Must(t.Backlog(t.Context()))(t)
}

func (t *storeTest) dead(q alerting.DeadLetterQuery) []*alerting.Notification {
	t.Helper()
	var all []*alerting.Notification
	for n, err := range t.DeadLetters(t.Context(), q) {
		all = append(all, check.Must(n, err)(t))
	}
	return all
}

func (t *storeTest) redrive(organization, route string) int {
	t.Helper()
	return check.Must(t.Redrive(t.Context(), organization, route))(t)
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
	check.Equal(t, "waiting", t.backlog().Waiting, 1)
	if at := t.backlog().OldestAt; at.Before(a.CreatedAt) || time.Since(at) > time.Minute {
		t.Errorf("OldestAt = %v", at)
	}
	n := t.claimOne(pager, routes(pager, mail))
	ns := []*alerting.Notification{n}
	check.Equal(t, "Reason", n.Reason, alerting.ReasonOpened)
	check.Equal(t, "Key", n.Key, a.ID+"/"+monitor.EventKeyOf(acme, "e1").String())
	check.Equal(t, "Route", n.Route, pager)
	check.Equal(t, "Attempts", n.Attempts, 1)
	check.Equal(t, "alert", n.Alert.ID, a.ID)
	check.Equal(t, "title", n.Alert.Title, a.Title)
	check.Equal(t, "organization", n.Alert.OrganizationID, acme)
	n.Alert.Tags = nil
	n.Alert.Title = "spoiled"
	check.Equal(t, "claimed twice", len(t.claim(pager, 10, time.Minute)), 0)
	check.Equal(t, "waiting", t.backlog().Waiting, 2)

	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, ""))
	other := t.claimOne(mail, routes(mail))
	check.Equal(t, "Key", other.Key, n.Key)
	check.Equal(t, "Route", other.Route, mail)
	check.Equal(t, "Attempts", other.Attempts, 1)
	check.Equal(t, "Reason", other.Reason, alerting.ReasonOpened)
	check.Equal(t, "status of the alert now", other.Alert.Status, monitor.AlertAcknowledged)
	check.Equal(t, "title", other.Alert.Title, a.Title)
	check.Equal(t, "CreatedAt", other.CreatedAt, n.CreatedAt)
	t.settle(alerting.Delivery{Notification: other, Outcome: alerting.OutcomeDelivered})
	t.settleAll(ns, alerting.OutcomeDelivered, "", 0)
	check.Equal(t, "mail", t.delivered(mail), "acknowledged:mallory")
	check.Equal(t, "pager", t.delivered(pager), "")
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
	// Settling a notification that no longer exists does nothing.
	t.settleAll(ns, alerting.OutcomeRetry, "late", 0)
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
	// An occurrence that is stored again causes no second notification.
	t.put(Occurrence(acme, "mallory", "e1", minutes(0)), Occurrence(acme, "mallory", "e2", minutes(1)))
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
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
		ns := t.claim(pager, 10, time.Minute)
		if len(ns) == 0 {
			break
		}
		check.Equal(t, "claimed of one alert", len(ns), 1)
		keys[ns[0].Key] = true
		reasons = append(reasons, string(ns[0].Reason))
		t.settleAll(ns, alerting.OutcomeDelivered, "", 0)
	}
	const all = "opened repeated repeated acknowledged resolved reopened dismissed" //nolint:dupword // two were repeated
	check.Equal(t, "reasons", strings.Join(reasons, " "), all)
	check.Equal(t, "keys", len(keys), len(reasons))
}

func testOutboxSuppression(t *storeTest) {
	t.save(acme, alerting.Settings{
		Suppressions: []alerting.Suppression{{From: minutes(0), Until: minutes(10), Reason: "upgrade"}},
	})
	t.put(Occurrence(acme, "mallory", "e1", minutes(1)), Occurrence(acme, "mallory", "e2", minutes(2)))
	check.Equal(t, "held back", t.delivered(pager), "")
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
	t.put(Occurrence(acme, "mallory", "e3", minutes(10)))
	check.Equal(t, "after the window", t.delivered(pager), "opened:mallory")
	t.put(Occurrence(acme, "mallory", "e4", minutes(20)))
	check.Equal(t, "later", t.delivered(pager), "repeated:mallory")
}

func testOutboxOrder(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.put(Occurrence(acme, "mallory", "e2", minutes(5)))
	t.opened(acme, "eve", "e3", minutes(0))
	t.opened(acme, "trudy", "e4", minutes(0))
	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, ""))
	first := t.claim(pager, 2, time.Minute)
	check.Equal(t, "the oldest", keysOf(first), "mallory eve")
	check.Equal(t, "what another claims", keysOf(t.claim(pager, 10, time.Minute)), "trudy")
	// Later notifications wait for one that is tried again.
	t.settleAll(first[:1], alerting.OutcomeRetry, "busy", time.Hour)
	check.Equal(t, "while the oldest waits", len(t.claim(pager, 10, time.Minute)), 0)
	t.settleAll(first[:1], alerting.OutcomeDelivered, "", 0)
	check.Equal(t, "then", t.delivered(pager), "repeated:mallory acknowledged:mallory")
}

func testOutboxLease(t *storeTest) {
	t.opened(acme, "mallory", "e1", minutes(0))
	lost := t.claim(pager, 1, time.Millisecond)
	letClockMove()
	ns := t.claim(pager, 1, time.Minute)
	if len(lost) != 1 || len(ns) != 1 {
		t.Fatalf("claimed %d and then %d, want 1 each", len(lost), len(ns))
	}
	check.Equal(t, "Attempts", ns[0].Attempts, 2)
	// Settling has no effect after the lease has been lost.
	t.settleAll(lost, alerting.OutcomeDead, "late", 0)
	t.settleAll(lost, alerting.OutcomeRetry, "late", 0)
	check.Equal(t, "claimed in the lease", len(t.claim(pager, 1, time.Minute)), 0)
	check.Equal(t, "dead letters", t.backlog().Dead, 0)
	// An exception is a notification that was delivered.
	t.settleAll(lost, alerting.OutcomeDelivered, "", 0)
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
	t.settleAll(ns, alerting.OutcomeRetry, "late", 0)
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
}

func testOutboxRetry(t *storeTest) {
	t.opened(acme, "mallory", "e1", minutes(0))
	for attempt := 1; attempt <= 3; attempt++ {
		n := t.claimOne(pager, routes(pager))
		check.Equal(t, "Attempts", n.Attempts, attempt)
		if attempt > 1 {
			check.Equal(t, "Failure", n.Failure, fmt.Sprint("failure ", attempt-1))
		}
		t.settleAll([]*alerting.Notification{n}, alerting.OutcomeRetry, fmt.Sprint("failure ", attempt), 0)
		letClockMove()
	}
	t.settleAll(t.claim(pager, 1, time.Minute), alerting.OutcomeRetry, "failure 4", time.Hour)
	check.Equal(t, "claimed too early", len(t.claim(pager, 1, time.Minute)), 0)
	check.Equal(t, "waiting", t.backlog().Waiting, 1)
}

// testOutboxFairness checks that notifications that keep failing do not delay others.
func testOutboxFairness(t *storeTest) {
	t.opened(acme, "poisoned", "e1", minutes(0))
	t.opened(acme, "eve", "e2", minutes(0))
	t.settleAll(t.claim(pager, 1, time.Minute), alerting.OutcomeRetry, "poison", 0)
	letClockMove()
	check.Equal(t, "the next", keysOf(t.claim(pager, 1, time.Minute)), "eve")
}

// organizationsOf returns how many of the notifications each organization has.
func organizationsOf(ns []*alerting.Notification) map[string]int {
	n := map[string]int{}
	for _, notification := range ns {
		n[notification.Alert.OrganizationID]++
	}
	return n
}

// testOutboxRoundRobin checks that a flood of one organization does not delay the
// notifications of others, however many are claimed at a time.
func testOutboxRoundRobin(t *storeTest) {
	const third, flood = "third", 900
	var many []*monitor.Occurrence
	for i := range flood {
		many = append(many, Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(0)))
	}
	t.put(many...)
	t.opened(other, "trudy", "e1", minutes(0))
	t.opened(third, "heidi", "e2", minutes(0))
	claimed := t.claim(pager, 5, time.Minute)
	check.Equal(t, "first claimed", organizationsOf(claimed), map[string]int{acme: 3, other: 1, third: 1})
	t.settleAll(claimed, alerting.OutcomeDelivered, "", 0)
	// The turns go on from one call to the next.
	for i := range 3 {
		t.opened(other, fmt.Sprint("later", i), fmt.Sprint("later", i), minutes(0))
	}
	var one []*alerting.Notification
	for range 6 {
		claimed := t.claim(pager, 1, time.Minute)
		t.settleAll(claimed, alerting.OutcomeDelivered, "", 0)
		one = append(one, claimed...)
	}
	check.Equal(t, "claimed one by one", organizationsOf(one), map[string]int{acme: 3, other: 3})
	// An organization gets all turns if no other has something due.
	check.Equal(t, "then", organizationsOf(t.claim(pager, 10, time.Minute)), map[string]int{acme: 10})
}

// testOutboxRouting tests each condition of a route.
func testOutboxRouting(t *storeTest) {
	all := routes("all", "high", "other", "bulk", "bulk of other", "opened", "resolved")
	all[1].MinSeverity = monitor.SeverityHigh
	all[2].Organizations = []string{"third", other}
	all[3].Rules = []string{"bulk_operation", "export"}
	all[4].Organizations, all[4].Rules = all[2].Organizations, all[3].Rules
	all[5].Reasons = []alerting.Reason{alerting.ReasonOpened}
	all[6].Reasons = []alerting.Reason{alerting.ReasonResolved, alerting.ReasonReopened}

	low := t.opened(acme, "low", "e1", minutes(0))
	high := Occurrence(acme, "high", "e2", minutes(0))
	high.Finding.Severity = monitor.SeverityHigh
	t.put(high, Occurrence(other, "elsewhere", "e3", minutes(0)))
	bulk := Occurrence(acme, "bulk", "e4", minutes(0))
	bulk.Finding.Rule = "bulk_operation"
	t.put(bulk)
	t.ok(t.Resolve(t.Context(), low.Ref(), ann, ""))

	for name, expected := range map[string]string{
		"all": "low high elsewhere bulk", "high": "high", "other": "elsewhere", "bulk": "bulk", "bulk of other": "",
		"opened": "low high elsewhere bulk", "resolved": "low",
	} {
		ns := t.claimOf(name, all, 10, time.Minute)
		got, wanted := strings.Fields(keysOf(ns)), strings.Fields(expected)
		slices.Sort(got)
		slices.Sort(wanted)
		check.Equal(t, "claimed on "+name, strings.Join(got, " "), strings.Join(wanted, " "))
		t.settleAll(ns, alerting.OutcomeDelivered, "", 0)
	}
	// The next notification on the same route can now be claimed.
	check.Equal(t, "then on all", keysOf(t.claimOf("all", all, 10, time.Minute)), "low")
	check.Equal(t, "then on opened", keysOf(t.claimOf("opened", all, 10, time.Minute)), "")
	check.Equal(t, "waiting", t.backlog().Waiting, 1)
}

// testOutboxRoutedOnce checks that a notification takes the routes that exist when it
// is first claimed, and each of them once.
func testOutboxRoutedOnce(t *storeTest) {
	t.opened(acme, "mallory", "e1", minutes(0))
	// A route that is added later takes notifications without a route.
	check.Equal(t, "mail", keysOf(t.claimOf(mail, routes(pager, mail), 10, time.Minute)), "mallory")
	check.Equal(t, "waiting", t.backlog().Waiting, 2)
	check.Equal(t, "pager", t.delivered(pager), "opened:mallory")
	check.Equal(t, "pager again", t.delivered(pager), "")
	check.Equal(t, "of a new route", t.delivered("new"), "")
	// A notification that takes no route is deleted.
	t.opened(acme, "eve", "e2", minutes(0))
	none := routes(pager)
	none[0].MinSeverity = monitor.SeverityCritical
	check.Equal(t, "claimed", len(t.claimOf(pager, none, 10, time.Minute)), 0)
	check.Equal(t, "mail", t.delivered(mail), "")
	check.Equal(t, "waiting", t.backlog().Waiting, 1)
	check.Equal(t, "dropped", t.dropped(), 0)
}

// testOutboxExpired checks that a notification that is older than the ExpireAfter of
// a route when it is routed does not take it.
func testOutboxExpired(t *storeTest) {
	t.opened(acme, "mallory", "e1", minutes(0))
	letClockMove()
	all := routes(pager, mail)
	all[0].ExpireAfter = time.Nanosecond
	check.Equal(t, "pager", len(t.claimOf(pager, all, 10, time.Minute)), 0)
	check.Equal(t, "mail", t.delivered(mail), "opened:mallory")
	check.Equal(t, "dropped as too old", t.backlog().Dropped[driver.DroppedTooOld], 1)
	check.Equal(t, "dropped", t.dropped(), 1)
}

// dropped returns the total number of dropped notifications.
func (t *storeTest) dropped() (sum int64) {
	t.Helper()
	for _, n := range t.backlog().Dropped {
		sum += n
	}
	return sum
}

func testDeadLetters(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.opened(acme, "eve", "e2", minutes(0))
	t.opened(other, "trudy", "e3", minutes(0))
	t.put(Occurrence(acme, "mallory", "e4", minutes(5)))
	t.route(pager, mail)
	t.settleAll(t.claim(pager, 10, time.Minute), alerting.OutcomeDead, "410 gone", 0)
	t.settleAll(t.claim(mail, 1, time.Minute), alerting.OutcomeDead, "no mailbox", 0)

	b := t.backlog()
	check.Equal(t, "dead", b.Dead, 4)
	check.Equal(t, "waiting", b.Waiting, 4)
	// Later notifications do not wait for a dead letter.
	check.Equal(t, "pager", t.delivered(pager), "repeated:mallory")

	dead := t.dead(alerting.DeadLetterQuery{Organization: acme, Route: pager})
	check.Equal(t, "dead letters of acme", keysOf(dead), "mallory eve")
	check.Equal(t, "Failure", dead[0].Failure, "410 gone")
	check.Equal(t, "Attempts", dead[0].Attempts, 1)
	check.Equal(t, "alert", dead[0].Alert.ID, a.ID)
	check.Equal(t, "of every route", len(t.dead(alerting.DeadLetterQuery{Organization: acme})), 3)
	check.Equal(t, "of everybody", keysOf(t.dead(alerting.DeadLetterQuery{Organization: alerting.AllOrganizations, Route: pager})), "mallory eve trudy")
	check.Equal(t, "the oldest", len(t.dead(alerting.DeadLetterQuery{Organization: alerting.AllOrganizations, Limit: 2})), 2)
	check.Equal(t, "of nobody", len(t.dead(alerting.DeadLetterQuery{Organization: "nobody"})), 0)
	for range t.DeadLetters(t.Context(), alerting.DeadLetterQuery{Organization: acme}) {
		break // the iteration may end early
	}

	check.Equal(t, "redriven of another route", t.redrive(acme, "none"), 0)
	check.Equal(t, "redriven of nobody", t.redrive("nobody", pager), 0)
	letClockMove()
	check.Equal(t, "redriven", t.redrive(acme, pager), 2)
	again := t.claim(pager, 10, time.Minute)
	check.Equal(t, "due again", keysOf(again), "mallory eve")
	check.Equal(t, "Attempts", again[0].Attempts, 1)
	check.Equal(t, "Key", again[0].Key, dead[0].Key)
	if !again[0].CreatedAt.After(dead[0].CreatedAt) {
		t.Errorf("CreatedAt is still %v", again[0].CreatedAt)
	}
	check.Equal(t, "redriven of everybody", t.redrive(alerting.AllOrganizations, pager), 1)
	check.Equal(t, "theirs", t.delivered(pager), "opened:trudy")
}

// testRedriveFences checks that a claim that was made before a notification was
// redriven settles nothing, although the attempts begin again.
func testRedriveFences(t *storeTest) {
	t.opened(acme, "mallory", "e1", minutes(0))
	stale := t.claim(pager, 1, time.Millisecond)
	for round := range 3 {
		letClockMove()
		t.settleAll(t.claim(pager, 1, time.Minute), alerting.OutcomeDead, "gone", 0)
		check.Equal(t, "redriven", t.redrive(acme, pager), 1)
		fresh := t.claim(pager, 1, time.Millisecond)
		check.Equal(t, "Attempts", fresh[0].Attempts, stale[0].Attempts)
		t.settleAll(stale, alerting.OutcomeDead, "stale", 0)
		check.Equal(t, fmt.Sprint("dead letters in round ", round), t.backlog().Dead, 0)
		t.settleAll(stale, alerting.OutcomeRetry, "stale", time.Hour)
		stale = fresh
		letClockMove()
		n := t.claimOne(pager, routes(pager))
		check.Equal(t, "Failure", n.Failure, "gone")
		t.settleAll([]*alerting.Notification{n}, alerting.OutcomeRetry, "gone", 0)
	}
	// What was delivered need not be delivered again.
	t.settleAll(stale, alerting.OutcomeDelivered, "", 0)
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
}

func testOutboxPurge(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.opened(acme, "eve", "e2", minutes(0))
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	ns := t.claim(pager, 1, time.Minute)
	check.Equal(t, "purged", check.Must(t.Purge(t.Context(), acme, time.Now().Add(time.Hour)))(t), 1)
	t.settleAll(ns, alerting.OutcomeRetry, "late", 0)
	check.Equal(t, "what is left", t.delivered(pager), "opened:eve")
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
}

// testOutboxPaused checks that the notifications of paused organizations are left
// alone, although they get their routes.
func testOutboxPaused(t *storeTest) {
	organizations := []string{acme, other, "third"}
	for _, organization := range organizations {
		for _, number := range []string{"1", "2"} {
			t.opened(organization, organization+number, number, minutes(0))
		}
	}
	claim := func(paused ...string) string {
		ns := check.Must(t.store.ClaimNotifications(t.Context(), pager, routes(pager, mail), paused, 2, time.Minute))(t)
		keys := strings.Fields(keysOf(ns))
		slices.Sort(keys)
		return strings.Join(keys, " ")
	}
	check.Equal(t, "claimed while all are paused", claim(organizations...), "")
	check.Equal(t, "waiting", t.backlog().Waiting, 2*6)
	check.Equal(t, "claimed of one", claim(other, acme, "nobody"), "third1 third2")
	check.Equal(t, "claimed of two", claim(other), "acme1 acme2")
	// An organization that is no longer paused has lost nothing.
	check.Equal(t, "claimed then", claim(), "other1 other2")
}

func testOutboxTenants(t *storeTest) {
	mine := t.opened(acme, "mallory", "e1", minutes(0))
	o := Occurrence(other, "mallory", "e1", minutes(0))
	o.Fingerprint, o.EventKey = mine.Fingerprint, monitor.EventKeyOf(acme, "e1")
	t.put(o)
	ns := t.claim(pager, 10, time.Minute)
	var organizations []string
	for _, n := range ns {
		organizations = append(organizations, n.Alert.OrganizationID)
	}
	slices.Sort(organizations)
	check.Equal(t, "organizations", strings.Join(organizations, " "), acme+" "+other)
	// Settling with the name of another tenant changes nothing.
	forged := *ns[0]
	forged.Alert = forged.Alert.Clone()
	forged.Alert.OrganizationID = "nobody"
	t.settle(alerting.Delivery{Notification: &forged, Outcome: alerting.OutcomeDelivered})
	check.Equal(t, "waiting", t.backlog().Waiting, 2)
}

func testConcurrentOutbox(t *storeTest) {
	const alerts, workers = 40, 8
	for i := range alerts {
		t.put(Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(0)),
			Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("later", i), minutes(5)))
	}
	var mu sync.Mutex
	delivered := map[string]int{}
	order := map[string][]string{}
	var all sync.WaitGroup
	for w := range workers {
		name := []string{pager, mail}[w%2]
		all.Go(func() {
			for {
				ns, err := t.store.ClaimNotifications(t.Context(), name, routes(pager, mail), nil, 3, time.Minute)
				if err != nil {
					t.Errorf("ClaimNotifications: %v", err)
					return
				}
				mu.Lock()
				for _, n := range ns {
					delivered[name+" "+n.Key]++
					order[name] = append(order[name], string(n.Reason)+n.Alert.ID)
				}
				done := len(delivered) == 2*2*alerts
				mu.Unlock()
				t.settleAll(ns, alerting.OutcomeDelivered, "", 0)
				if done {
					return
				}
			}
		})
	}
	all.Wait()
	for key, n := range delivered {
		check.Equal(t, "deliveries of "+key, n, 1)
	}
	for name, all := range order {
		for i, d := range all {
			if id, repeated := strings.CutPrefix(d, string(alerting.ReasonRepeated)); repeated &&
				!slices.Contains(all[:i], string(alerting.ReasonOpened)+id) {
				t.Errorf("on route %s alert %s was repeated before it was opened", name, id)
			}
		}
	}
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
}
