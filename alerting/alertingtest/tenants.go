package alertingtest

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func testTenants(t *storeTest) {
	mine := t.opened(acme, "mallory", "e1", minutes(0))
	// Another tenant's alert may have the same fingerprint and event key.
	o := Occurrence(other, "mallory", "e1", minutes(0))
	o.Fingerprint, o.EventKey = mine.Fingerprint, monitor.EventKeyOf(acme, "e1")
	d := t.one(o)
	check.Equal(t, "disposition", d.Stored, monitor.StoredNew)
	check.Equal(t, "notification", d.Notify, monitor.NotifyDue)
	if d.AlertID == mine.ID {
		t.Fatal("two tenants share an alert")
	}
	theirs := t.get(monitor.AlertRef{Organization: other, ID: d.AlertID})
	t.put(Occurrence(other, "eve", "e2", minutes(0)))
	t.ok(t.Resolve(t.Context(), theirs.Ref(), ann, ""))
	t.save(other, alerting.Settings{Cooldown: time.Hour})

	check.Equal(t, "Occurrences", t.get(mine.Ref()).Occurrences, 1)
	check.Equal(t, "Status", t.get(mine.Ref()).Status, monitor.AlertActive)
	check.Equal(t, "my list", ids(t.list(alerting.Query{Organization: acme})), "mallory")
	check.Equal(t, "their list", ids(t.list(alerting.Query{Organization: other})), "eve mallory")
	check.Equal(t, "my count", t.count(alerting.Query{Organization: acme}), 1)
	check.Equal(t, "their count", t.count(alerting.Query{Organization: other}), 2)
	check.Equal(t, "my total", t.statistics(alerting.StatisticsQuery{Organization: acme}).Total, 1)
	check.Equal(t, "their total", t.statistics(alerting.StatisticsQuery{Organization: other}).Total, 2)
	check.Equal(t, "my settings", t.mySettings().Version, 0)
	for _, nobody := range []string{"nobody", "ACME", "acme ", "*", "%"} {
		check.Equal(t, "list of "+nobody, len(t.list(alerting.Query{Organization: nobody})), 0)
		check.Equal(t, "count of "+nobody, t.count(alerting.Query{Organization: nobody}), 0)
		check.Equal(t, "total of "+nobody, t.statistics(alerting.StatisticsQuery{Organization: nobody}).Total, 0)
	}
	// A cursor does not give access to another tenant.
	page := t.list(alerting.Query{Organization: acme, After: alerting.Cursor(t.list(alerting.Query{Organization: other})[0])})
	check.Equal(t, "my list after their alert", ids(page), "mallory")

	if n, err := t.Purge(t.Context(), acme, time.Now().Add(time.Hour)); err != nil || n != 0 {
		t.Errorf("Purge returned %d, %v, want 0", n, err)
	}
	check.Equal(t, "their count", t.count(alerting.Query{Organization: other}), 2)
}

func testTenantsByReference(t *storeTest) {
	for _, status := range []monitor.AlertStatus{
		monitor.AlertActive, monitor.AlertAcknowledged, monitor.AlertResolved, monitor.AlertDismissed,
	} {
		a := t.opened(acme, string(status), string(status), minutes(0))
		if status != monitor.AlertActive {
			a = t.ok(t.changes()[status](t.Context(), a.Ref(), ann, ""))
		}
		t.put(Occurrence(other, string(status), string(status), minutes(0)))
		for _, version := range []int64{0, a.Version} {
			ref := monitor.AlertRef{Organization: other, ID: a.ID, Version: version}
			t.eachByReference(ref, func(what string, err error) {
				check.ErrorIs(t, fmt.Sprintf("%s of another tenant's %s alert", what, status), err, monitor.ErrNotFound)
			})
		}
		still := t.get(a.Ref())
		check.Equal(t, "Status", still.Status, status)
		check.Equal(t, "Version", still.Version, a.Version)
	}
}

func testAllOrganizations(t *storeTest) {
	for i := range 12 {
		t.opened(fmt.Sprint("tenant", i%3), fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(0))
	}
	a := t.list(alerting.Query{Organization: "tenant1"})[0]
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	all := alerting.Query{Organization: alerting.AllOrganizations}
	const newestFirst = "k11 k10 k9 k8 k7 k6 k5 k4 k3 k2 k1 k0"
	check.Equal(t, "list", ids(t.list(all)), newestFirst)
	check.Equal(t, "count", t.count(all), 12)
	all.Limit = 5
	check.Equal(t, "pages", ids(t.walk(all, func() {})), newestFirst)
	all.Statuses = []monitor.AlertStatus{monitor.AlertResolved}
	check.Equal(t, "resolved ones", ids(t.list(all)), a.Finding.Key)
	s := t.statistics(alerting.StatisticsQuery{Organization: alerting.AllOrganizations})
	check.Equal(t, "Total", s.Total, 12)
	check.Equal(t, "Resolved", s.Resolved, 1)
}
