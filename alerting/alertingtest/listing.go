package alertingtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func ids(as []*monitor.Alert) string {
	var b strings.Builder
	for _, a := range as {
		fmt.Fprintf(&b, "%s ", a.Finding.Key)
	}
	return strings.TrimSpace(b.String())
}

func testList(t *storeTest) {
	check.Equal(t, "an empty list", ids(t.list(alerting.Query{Organization: acme})), "")
	// The order does not depend on event times.
	t.opened(acme, "a", "e1", minutes(9))
	t.opened(acme, "b", "e2", minutes(5))
	t.opened(acme, "c", "e3", minutes(7))
	t.put(Occurrence(acme, "a", "e4", minutes(10)))
	as := t.list(alerting.Query{Organization: acme})
	check.Equal(t, "list", ids(as), "c b a")
	check.Equal(t, "Occurrences in the list", as[2].Occurrences, 2)
	if !slices.IsSortedFunc(as, driver.Newest) {
		t.Error("the list is not sorted by creation")
	}
}

func testListFilters(t *storeTest) {
	type variant struct {
		key      string
		severity monitor.Severity
		kind     monitor.AlertType
		source   string
		rule     string
	}
	var times []time.Time
	for i, v := range []variant{
		{"a", monitor.SeverityLow, monitor.AlertSecurity, "s1", "r1"},
		{"b", monitor.SeverityHigh, monitor.AlertSecurity, "s2", "r1"},
		{"c", monitor.SeverityHigh, monitor.AlertSystem, "s1", "r2"},
		{"d", monitor.SeverityCritical, monitor.AlertCompliance, "s2", "r2"},
	} {
		letClockMove()
		o := Occurrence(acme, v.key, v.key, minutes(float64(i)))
		o.Finding.Severity, o.Type, o.Source, o.Finding.Rule = v.severity, v.kind, v.source, v.rule
		a := t.get(monitor.AlertRef{Organization: acme, ID: t.one(o).AlertID})
		times = append(times, a.CreatedAt)
		switch v.key {
		case "b":
			t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, ""))
		case "c":
			t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
		case "d":
			t.ok(t.Dismiss(t.Context(), a.Ref(), ann, ""))
		}
	}
	for _, tt := range []struct {
		name  string
		query alerting.Query
		want  string
	}{
		{"none", alerting.Query{}, "d c b a"},
		{"status", alerting.Query{Statuses: []monitor.AlertStatus{monitor.AlertResolved}}, "c"},
		{"open", alerting.Query{Statuses: []monitor.AlertStatus{monitor.AlertActive, monitor.AlertAcknowledged}}, "b a"},
		{"severity", alerting.Query{Severities: []monitor.Severity{monitor.SeverityHigh, monitor.SeverityCritical}}, "d c b"},
		{"no such severity", alerting.Query{Severities: []monitor.Severity{monitor.SeverityInfo}}, ""},
		{"type", alerting.Query{Types: []monitor.AlertType{monitor.AlertSecurity}}, "b a"},
		{"source", alerting.Query{Sources: []string{"s1"}}, "c a"},
		{"rule", alerting.Query{Rules: []string{"r2", "r3"}}, "d c"},
		{"all together", alerting.Query{
			Statuses:   []monitor.AlertStatus{monitor.AlertAcknowledged, monitor.AlertResolved},
			Severities: []monitor.Severity{monitor.SeverityHigh},
			Types:      []monitor.AlertType{monitor.AlertSystem},
			Sources:    []string{"s1"},
			Rules:      []string{"r2"},
		}, "c"},
		{"since", alerting.Query{Since: times[1]}, "d c b"},
		{"until", alerting.Query{Until: times[2]}, "b a"},
		{"range", alerting.Query{Since: times[1], Until: times[3]}, "c b"},
		{"injection", alerting.Query{Sources: []string{"' OR '1'='1"}}, ""},
		{"limit", alerting.Query{Limit: 2}, "d c"},
	} {
		tt.query.Organization = acme
		got := t.list(tt.query)
		check.Equal(t, tt.name, ids(got), tt.want)
		if tt.query.Limit == 0 {
			check.Equal(t, "count by "+tt.name, t.count(tt.query), len(got))
		}
	}
}

// walk reads all pages of a listing and calls between before each but the first.
func (t *storeTest) walk(q alerting.Query, between func()) []*monitor.Alert {
	t.Helper()
	var all []*monitor.Alert
	for {
		page := t.list(q)
		if len(page) > q.Limit {
			t.Fatalf("a page has %d alerts, the limit is %d", len(page), q.Limit)
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		q.After = alerting.Cursor(page[len(page)-1])
		between()
	}
}

func testListPages(t *storeTest) {
	var batch []*monitor.Occurrence
	for i := range 20 {
		batch = append(batch, Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(0)))
	}
	t.put(batch...) // these may have the same creation time
	everything := ids(t.list(alerting.Query{Organization: acme, Limit: 20}))
	for _, limit := range []int{1, 7, 10, 19, 20, alerting.MaxLimit} {
		got := t.walk(alerting.Query{Organization: acme, Limit: limit}, func() {})
		check.Equal(t, fmt.Sprintf("pages of %d", limit), ids(got), everything)
	}
	check.Equal(t, "alerts", len(strings.Fields(everything)), 20)
	// Count counts the alerts of all pages.
	check.Equal(t, "count", t.count(alerting.Query{Organization: acme, Limit: 3, After: alerting.Cursor(t.list(alerting.Query{Organization: acme})[5])}), 20)
	// Pages of a query with conditions.
	odd := alerting.Query{Organization: acme, Limit: 2, Statuses: []monitor.AlertStatus{monitor.AlertResolved}}
	for i, a := range t.list(alerting.Query{Organization: acme}) {
		if i%3 == 0 {
			t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
		}
	}
	check.Equal(t, "resolved ones", len(t.walk(odd, func() {})), 7)
}

func testListPagesWhileWriting(t *storeTest) {
	const n = 40
	for i := range n {
		t.opened(acme, fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(float64(i)))
	}
	before := t.list(alerting.Query{Organization: acme, Limit: n})
	round := 0
	all := t.walk(alerting.Query{Organization: acme, Limit: 7}, func() {
		round++
		t.opened(acme, fmt.Sprint("new", round), fmt.Sprint("new", round), minutes(-100))
		t.put(Occurrence(acme, fmt.Sprint("k", n-round), fmt.Sprint("again", round), minutes(200)))
		t.ok(t.Acknowledge(t.Context(), before[n-round].Ref(), ann, ""))
	})
	check.Equal(t, "alerts on all pages", ids(all), ids(before))

	// The cursor of a deleted alert is still valid.
	t.ok(t.Resolve(t.Context(), before[9].Ref(), ann, ""))
	check.Must(t.Purge(t.Context(), acme, time.Now().Add(time.Hour)))(t)
	after := t.list(alerting.Query{Organization: acme, Limit: 3, After: alerting.Cursor(before[9])})
	check.Equal(t, "page after a deleted alert", ids(after), ids(before[10:13]))
}

func testPurge(t *storeTest) {
	old := t.opened(acme, "old", "e1", minutes(0))
	dismissed := t.opened(acme, "dismissed", "e2", minutes(0))
	open := t.opened(acme, "open", "e3", minutes(0))
	acknowledged := t.opened(acme, "acknowledged", "e4", minutes(0))
	t.ok(t.Acknowledge(t.Context(), acknowledged.Ref(), ann, ""))
	old = t.ok(t.Resolve(t.Context(), old.Ref(), ann, ""))
	letClockMove()
	dismissed = t.ok(t.Dismiss(t.Context(), dismissed.Ref(), ann, ""))
	letClockMove()
	recent := t.opened(acme, "recent", "e5", minutes(0))
	recent = t.ok(t.Resolve(t.Context(), recent.Ref(), ann, ""))

	for _, step := range []struct {
		before time.Time
		want   int
	}{{old.ResolvedAt, 0}, {dismissed.ResolvedAt, 1}, {recent.ResolvedAt, 1}, {recent.ResolvedAt, 0}} {
		check.Equal(t, "purged", check.Must(t.Purge(t.Context(), acme, step.before))(t), step.want)
	}
	check.Equal(t, "alerts", ids(t.list(alerting.Query{Organization: acme})), "recent acknowledged open")
	check.Equal(t, "count", t.count(alerting.Query{Organization: acme}), 3)
	t.eachByReference(old.Ref(), func(what string, err error) {
		check.ErrorIs(t, what+" of a purged alert", err, monitor.ErrNotFound)
	})
	check.Equal(t, "purged", check.Must(t.Purge(t.Context(), acme, time.Now().Add(time.Hour)))(t), 1)
	check.Equal(t, "Status", t.get(open.Ref()).Status, monitor.AlertActive)
	// The next occurrence opens a new alert.
	check.Equal(t, "disposition", t.one(Occurrence(acme, "old", "e6", minutes(1))).Stored, monitor.StoredNew)
}

// Purging an alert does not affect the open alert that followed it.
func testPurgePredecessor(t *storeTest) {
	closed := t.opened(acme, "mallory", "e1", minutes(0))
	t.ok(t.Resolve(t.Context(), closed.Ref(), ann, ""))
	open := t.opened(acme, "mallory", "e2", minutes(1))
	check.Equal(t, "purged", check.Must(t.Purge(t.Context(), acme, time.Now().Add(time.Hour)))(t), 1)
	d := t.one(Occurrence(acme, "mallory", "e3", minutes(2)))
	check.Equal(t, "disposition", d.Stored, monitor.StoredRepeat)
	check.Equal(t, "alert", d.AlertID, open.ID)
}
