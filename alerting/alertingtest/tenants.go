package alertingtest

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

func testTenants(t *storeTest) {
	mine := t.opened(acme, "mallory", "e1", minutes(0))
	// The same fingerprint and event key are another incident elsewhere.
	o := Occurrence(other, "mallory", "e1", minutes(0))
	o.Fingerprint, o.EventKey = mine.Fingerprint, monitor.EventKeyOf(acme, "e1")
	d := t.one(o)
	want(t, "disposition", d.Stored, monitor.StoredNew)
	want(t, "notification", d.Notify, monitor.NotifyDue)
	if d.AlertID == mine.ID {
		t.Fatal("two tenants share an alert")
	}
	theirs := t.get(monitor.AlertRef{Organization: other, ID: d.AlertID})
	t.put(Occurrence(other, "eve", "e2", minutes(0)))
	t.ok(t.Resolve(t.Context(), theirs.Ref(), ann, ""))
	t.save(other, alerting.Settings{Cooldown: time.Hour})

	want(t, "Occurrences", t.get(mine.Ref()).Occurrences, 1)
	want(t, "Status", t.get(mine.Ref()).Status, monitor.AlertActive)
	want(t, "my list", ids(t.list(alerting.Query{Organization: acme})), "mallory")
	want(t, "their list", ids(t.list(alerting.Query{Organization: other})), "eve mallory")
	want(t, "my count", t.count(alerting.Query{Organization: acme}), 1)
	want(t, "their count", t.count(alerting.Query{Organization: other}), 2)
	want(t, "my total", t.statistics(alerting.StatisticsQuery{Organization: acme}).Total, 1)
	want(t, "their total", t.statistics(alerting.StatisticsQuery{Organization: other}).Total, 2)
	want(t, "my settings", t.mySettings().Version, 0)
	for _, nobody := range []string{"nobody", "ACME", "acme ", "*", "%"} {
		want(t, "list of "+nobody, len(t.list(alerting.Query{Organization: nobody})), 0)
		want(t, "count of "+nobody, t.count(alerting.Query{Organization: nobody}), 0)
		want(t, "total of "+nobody, t.statistics(alerting.StatisticsQuery{Organization: nobody}).Total, 0)
	}
	// A cursor leads no further than the query does.
	page := t.list(alerting.Query{Organization: acme, After: alerting.Cursor(t.list(alerting.Query{Organization: other})[0])})
	want(t, "my list after their alert", ids(page), "mallory")

	if n, err := t.Purge(t.Context(), acme, time.Now().Add(time.Hour)); err != nil || n != 0 {
		t.Errorf("purging my alerts deleted %d, %v", n, err)
	}
	want(t, "their count", t.count(alerting.Query{Organization: other}), 2)
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
				t.wantError(fmt.Sprintf("%s of another tenant's %s alert", what, status), err, monitor.ErrNotFound)
			})
		}
		still := t.get(a.Ref())
		want(t, "Status", still.Status, status)
		want(t, "Version", still.Version, a.Version)
	}
}

func testNoOrganization(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.eachScoped("", a.ID, func(what string, err error) {
		t.wantError(what, err, monitor.ErrNoOrganization)
	})
	for what, err := range t.scopedReads("") {
		t.wantError(what, err, monitor.ErrNoOrganization)
	}
	// What is for one organization is not for all.
	t.eachScoped(alerting.AllOrganizations, a.ID, func(what string, err error) {
		t.wantInvalid(what, err, "Organization")
	})
	want(t, "Version", t.get(a.Ref()).Version, 1)
}

// eachScoped calls every method that is for one organization.
func (t *storeTest) eachScoped(organization, id string, check func(what string, err error)) {
	o := Occurrence(acme, "eve", "e2", minutes(0))
	o.Finding.OrganizationID = organization
	_, err := t.StoreOccurrences(t.Context(), []*monitor.Occurrence{o})
	check("StoreOccurrences", err)
	t.eachByReference(monitor.AlertRef{Organization: organization, ID: id}, check)
	_, err = t.Purge(t.Context(), organization, time.Now().Add(time.Hour))
	check("Purge", err)
	_, err = t.Settings(t.Context(), organization)
	check("Settings", err)
	_, err = t.SaveSettings(t.Context(), organization, alerting.Settings{}, ann)
	check("SaveSettings", err)
}

// scopedReads returns the errors of the methods that may be for all
// organizations.
func (t *storeTest) scopedReads(organization string) map[string]error {
	errs := map[string]error{}
	for _, err := range t.List(t.Context(), alerting.Query{Organization: organization}) {
		errs["List"] = err
	}
	_, errs["Count"] = t.Count(t.Context(), alerting.Query{Organization: organization})
	for _, err := range t.DeadLetters(t.Context(), alerting.DeadLetterQuery{Organization: organization}) {
		errs["DeadLetters"] = err
	}
	_, errs["Redrive"] = t.Redrive(t.Context(), organization, "pager")
	_, errs["Statistics"] = t.Statistics(t.Context(), alerting.StatisticsQuery{Organization: organization})
	return errs
}

func testAllOrganizations(t *storeTest) {
	for i := range 12 {
		t.opened(fmt.Sprint("tenant", i%3), fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(0))
	}
	a := t.list(alerting.Query{Organization: "tenant1"})[0]
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	all := alerting.Query{Organization: alerting.AllOrganizations}
	const newestFirst = "k11 k10 k9 k8 k7 k6 k5 k4 k3 k2 k1 k0"
	want(t, "list", ids(t.list(all)), newestFirst)
	want(t, "count", t.count(all), 12)
	all.Limit = 5
	want(t, "pages", ids(t.walk(all, func() {})), newestFirst)
	all.Statuses = []monitor.AlertStatus{monitor.AlertResolved}
	want(t, "resolved ones", ids(t.list(all)), a.Finding.Key)
	s := t.statistics(alerting.StatisticsQuery{Organization: alerting.AllOrganizations})
	want(t, "Total", s.Total, 12)
	want(t, "Resolved", s.Resolved, 1)
}
