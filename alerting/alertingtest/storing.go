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

func testOpen(t *storeTest) {
	before := time.Now().Add(-time.Minute)
	a := t.opened(acme, "mallory", "e1", minutes(0))
	check.Equal(t, "OrganizationID", a.OrganizationID, acme)
	check.Equal(t, "Fingerprint", a.Fingerprint, monitor.FingerprintOf("failed_auth", acme, "mallory"))
	check.Equal(t, "Status", a.Status, monitor.AlertActive)
	check.Equal(t, "Severity", a.Severity, monitor.SeverityMedium)
	check.Equal(t, "Type", a.Type, monitor.AlertSecurity)
	check.Equal(t, "Source", a.Source, "audit-monitoring")
	check.Equal(t, "Title", a.Title, "Suspicious Pattern Detected: FAILED_AUTH")
	check.Equal(t, "Occurrences", a.Occurrences, 1)
	check.Equal(t, "Version", a.Version, 1)
	check.Equal(t, "FirstSeen", a.FirstSeen, minutes(0))
	check.Equal(t, "LastSeen", a.LastSeen, minutes(0))
	check.Equal(t, "UpdatedAt", a.UpdatedAt, a.CreatedAt)
	if a.CreatedAt.Before(before) || a.CreatedAt.Nanosecond()%1000 != 0 {
		t.Errorf("CreatedAt = %v, want the present in whole microseconds", a.CreatedAt)
	}
	if !slices.Contains(a.Tags, "suspicious-pattern") || a.Metadata["patternType"] != "FAILED_AUTH" || a.Description == "" {
		t.Errorf("tags %q, metadata %v or description %q are not those of the finding", a.Tags, a.Metadata, a.Description)
	}
	if !a.AcknowledgedAt.IsZero() || !a.ResolvedAt.IsZero() || a.AcknowledgedBy+a.ResolvedBy+a.ResolutionNotes != "" {
		t.Errorf("a new alert was acknowledged or resolved: %+v", a)
	}
	f := a.Finding
	check.Equal(t, "Finding.Rule", f.Rule, "failed_auth")
	check.Equal(t, "Finding.Key", f.Key, "mallory")
	check.Equal(t, "Finding.Count", f.Count, 5)
	check.Equal(t, "Finding.Threshold", f.Threshold, 5)
	check.Equal(t, "Finding.Window", f.Window, 5*time.Minute)
	check.Equal(t, "Finding.Technique", f.Technique, "T1110")
	check.Equal(t, "Finding.Event.ID", f.Event.ID, "e1")
	if len(f.References) != 1 || f.References[0].ID != "e1" || !f.References[0].Timestamp.Equal(minutes(0)) {
		t.Errorf("Finding.References = %v", f.References)
	}
	check.Equal(t, "trace", a.TraceID, monitor.TraceID{})
	check.Equal(t, "span", a.SpanID, monitor.SpanID{})
	// The alert has the trace of the occurrence that opened it.
	o := Occurrence(acme, "eve", "e2", minutes(0))
	o.TraceID, o.SpanID, o.CorrelationID = monitor.TraceID{1, 15: 2}, monitor.SpanID{3, 7: 4}, "c1"
	traced := monitor.AlertRef{Organization: acme, ID: t.one(o).AlertID}
	o = Occurrence(acme, "eve", "e3", minutes(0))
	o.TraceID, o.CorrelationID = monitor.TraceID{5}, "c2"
	t.put(o)
	a = t.get(traced)
	check.Equal(t, "trace", a.TraceID, monitor.TraceID{1, 15: 2})
	check.Equal(t, "span", a.SpanID, monitor.SpanID{3, 7: 4})
	check.Equal(t, "correlation", a.CorrelationID, "c1")
}

func testJoin(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	letClockMove()
	worse := Occurrence(acme, "mallory", "e2", minutes(1))
	worse.Finding.Severity = monitor.SeverityCritical
	better := Occurrence(acme, "mallory", "e3", minutes(2))
	better.Finding.Severity = monitor.SeverityInfo
	weighty := Occurrence(acme, "mallory", "e4", minutes(3))
	weighty.Count, weighty.FirstSeen = 10, minutes(2.5)
	for i, o := range []*monitor.Occurrence{worse, better, weighty} {
		d := t.one(o)
		check.Equal(t, fmt.Sprintf("disposition %d", i), d.Stored, monitor.StoredRepeat)
		check.Equal(t, fmt.Sprintf("alert %d", i), d.AlertID, a.ID)
	}
	got := t.get(a.Ref())
	check.Equal(t, "Occurrences", got.Occurrences, 13)
	check.Equal(t, "Severity", got.Severity, monitor.SeverityCritical)
	check.Equal(t, "Version", got.Version, 2) // the severity rose once
	check.Equal(t, "Finding.Event.ID", got.Finding.Event.ID, "e1")
	check.Equal(t, "FirstSeen", got.FirstSeen, minutes(0))
	check.Equal(t, "LastSeen", got.LastSeen, minutes(3))
	check.Equal(t, "CreatedAt", got.CreatedAt, a.CreatedAt)
	if !got.UpdatedAt.After(a.UpdatedAt) {
		t.Errorf("UpdatedAt stayed at %v", got.UpdatedAt)
	}
	check.Equal(t, "alerts", t.count(alerting.Query{Organization: acme}), 1)

	// An acknowledged alert is open as well.
	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, ""))
	d := t.one(Occurrence(acme, "mallory", "e5", minutes(4)))
	check.Equal(t, "disposition when acknowledged", d.Stored, monitor.StoredRepeat)
	got = t.get(a.Ref())
	check.Equal(t, "Occurrences when acknowledged", got.Occurrences, 14)
	check.Equal(t, "Status when acknowledged", got.Status, monitor.AlertAcknowledged)
}

func testOutOfOrder(t *storeTest) {
	a := t.opened(acme, "mallory", "e5", minutes(5))
	t.put(Occurrence(acme, "mallory", "e1", minutes(1)), Occurrence(acme, "mallory", "e9", minutes(9)))
	t.put(Occurrence(acme, "mallory", "e3", minutes(3)))
	got := t.get(a.Ref())
	check.Equal(t, "Occurrences", got.Occurrences, 4)
	check.Equal(t, "FirstSeen", got.FirstSeen, minutes(1))
	check.Equal(t, "LastSeen", got.LastSeen, minutes(9))
}

func testBatch(t *storeTest) {
	if ds, err := t.StoreOccurrences(t.Context(), nil); err != nil || len(ds) != 0 {
		t.Errorf("StoreOccurrences without occurrences returned %v, %v", ds, err)
	}
	ds := t.put(
		Occurrence(acme, "mallory", "e1", minutes(0)),
		Occurrence(acme, "eve", "e2", minutes(0)),
		Occurrence(acme, "mallory", "e3", minutes(1)),
		Occurrence(acme, "mallory", "e1", minutes(0)), // again
		Occurrence(other, "mallory", "e1", minutes(0)),
	)
	for i, stored := range []monitor.StoreResult{
		monitor.StoredNew, monitor.StoredNew, monitor.StoredRepeat, monitor.StoredBefore, monitor.StoredNew,
	} {
		check.Equal(t, fmt.Sprintf("disposition %d", i), ds[i].Stored, stored)
	}
	check.Equal(t, "alert of number 2", ds[2].AlertID, ds[0].AlertID)
	check.Equal(t, "alert of number 3", ds[3].AlertID, ds[0].AlertID)
	if ds[1].AlertID == ds[0].AlertID || ds[4].AlertID == ds[0].AlertID {
		t.Error("different fingerprints share an alert")
	}
	got := t.get(monitor.AlertRef{Organization: acme, ID: ds[0].AlertID})
	check.Equal(t, "Occurrences", got.Occurrences, 2)

	// This is as large as a flush.
	var many []*monitor.Occurrence
	for i := range 1000 {
		many = append(many, Occurrence(acme, "mallory", fmt.Sprint("m", i), minutes(2)))
	}
	retry := make([]*monitor.Occurrence, len(many))
	for i, o := range many {
		again := *o
		again.Finding.References = slices.Clone(o.Finding.References)
		retry[i] = &again
	}
	t.put(many...)
	t.put(retry...)
	check.Equal(t, "Occurrences", t.get(got.Ref()).Occurrences, 1002)
}

// testBatchAllOrNothing stores a batch with an occurrence that some stores reject.
func testBatchAllOrNothing(t *storeTest) {
	_, err := t.store.StoreOccurrences(t.Context(), []*monitor.Occurrence{
		Occurrence(acme, "mallory", "e1", minutes(0)), Occurrence(strings.Repeat("x", 10_000), "eve", "e2", minutes(0)),
	})
	if err == nil {
		return
	}
	check.Equal(t, "alerts", t.count(alerting.Query{Organization: acme}), 0)
	check.Equal(t, "disposition", t.one(Occurrence(acme, "mallory", "e1", minutes(0))).Stored, monitor.StoredNew)
}

func testRetryCountsOnce(t *storeTest) {
	first := t.opened(acme, "mallory", "e1", minutes(0))
	t.put(Occurrence(acme, "mallory", "e2", minutes(1)))
	before := t.get(first.Ref())
	for _, event := range []string{"e1", "e2", "e1"} {
		d := t.one(Occurrence(acme, "mallory", event, minutes(30)))
		check.Equal(t, "disposition of "+event, d, monitor.Disposition{AlertID: first.ID, Stored: monitor.StoredBefore})
	}
	after := t.get(first.Ref())
	check.Equal(t, "Occurrences", after.Occurrences, 2)
	check.Equal(t, "LastSeen", after.LastSeen, before.LastSeen)
	check.Equal(t, "Version", after.Version, before.Version)
	// Another alert counts the same event again.
	check.Equal(t, "disposition", t.one(Occurrence(acme, "eve", "e1", minutes(0))).Stored, monitor.StoredNew)
}

func testRetryAfterClose(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	d := t.one(Occurrence(acme, "mallory", "e1", minutes(0)))
	check.Equal(t, "disposition", d, monitor.Disposition{AlertID: a.ID, Stored: monitor.StoredBefore})
	check.Equal(t, "alerts", t.count(alerting.Query{Organization: acme}), 1)
	check.Equal(t, "Status", t.get(a.Ref()).Status, monitor.AlertResolved)
}

// testRetryAfterLaterAlerts delivers events again while a later alert of their
// fingerprint is open, and after it was closed.
func testRetryAfterLaterAlerts(t *storeTest) {
	const alerts = 4
	var opened []*monitor.Alert
	events := func(i int) []*monitor.Occurrence {
		return []*monitor.Occurrence{
			Occurrence(acme, "mallory", fmt.Sprint("first", i), minutes(0)),
			Occurrence(acme, "mallory", fmt.Sprint("second", i), minutes(1)),
		}
	}
	again := func() {
		t.Helper()
		for i, a := range opened {
			for _, d := range t.put(events(i)...) {
				check.Equal(t, fmt.Sprintf("disposition of an event of alert %d of %d", i, len(opened)),
					d, monitor.Disposition{AlertID: a.ID, Stored: monitor.StoredBefore})
			}
		}
	}
	for i := range alerts {
		d := t.put(events(i)...)[0]
		check.Equal(t, "disposition", d.Stored, monitor.StoredNew)
		opened = append(opened, t.get(monitor.AlertRef{Organization: acme, ID: d.AlertID}))
		again()
		t.ok(t.Resolve(t.Context(), opened[i].Ref(), ann, ""))
		again()
	}
	check.Equal(t, "alerts", t.count(alerting.Query{Organization: acme}), alerts)
	t.ok(t.Reopen(t.Context(), opened[1].Ref(), ann, ""))
	again()
	check.Equal(t, "Occurrences of the reopened alert", t.get(opened[1].Ref()).Occurrences, 2)
	// The events of an alert that is deleted are forgotten, and only these.
	check.Equal(t, "purged", check.Must(t.Purge(t.Context(), acme, time.Now().Add(time.Hour)))(t), alerts-1)
	d := t.one(events(0)[0])
	check.Equal(t, "disposition after a purge", d.Stored, monitor.StoredRepeat)
	check.Equal(t, "alert after a purge", d.AlertID, opened[1].ID)
	check.Equal(t, "disposition of an event of the alert that is left", t.one(events(1)[1]).Stored, monitor.StoredBefore)
}

func testIncidentEnds(t *storeTest) {
	closers := []func(*monitor.Alert) (*monitor.Alert, error){
		func(a *monitor.Alert) (*monitor.Alert, error) { return t.Resolve(t.Context(), a.Ref(), ann, "") },
		func(a *monitor.Alert) (*monitor.Alert, error) { return t.Dismiss(t.Context(), a.Ref(), ann, "") },
	}
	for i, end := range closers {
		a := t.opened(acme, "mallory", fmt.Sprint("first", i), minutes(0))
		closed := t.ok(end(a))
		d := t.one(Occurrence(acme, "mallory", fmt.Sprint("second", i), minutes(1)))
		check.Equal(t, "disposition", d.Stored, monitor.StoredNew)
		check.Equal(t, "notification of a new alert inside the cooldown", d.Notify, monitor.NotifyDue)
		if d.AlertID == a.ID {
			t.Error("the occurrence joined a closed alert")
		}
		still := t.get(a.Ref())
		check.Equal(t, "Occurrences of the closed alert", still.Occurrences, 1)
		check.Equal(t, "Version of the closed alert", still.Version, closed.Version)
		t.ok(end(t.get(monitor.AlertRef{Organization: acme, ID: d.AlertID})))
	}
}

func testCopies(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	spoil := func(a *monitor.Alert) {
		clear(a.Tags)
		clear(a.Metadata)
		clear(a.Finding.References)
		a.Status, a.Occurrences = monitor.AlertDismissed, 99
	}
	spoil(a)
	for _, a := range t.list(alerting.Query{Organization: acme}) {
		spoil(a)
	}
	spoil(t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, "")))
	history := check.Must(t.History(t.Context(), a.Ref()))(t)
	clear(history)

	got := t.get(a.Ref())
	check.Equal(t, "Status", got.Status, monitor.AlertAcknowledged)
	check.Equal(t, "Occurrences", got.Occurrences, 1)
	check.Equal(t, "reference", got.Finding.References[0].ID, "e1")
	check.Equal(t, "metadata", got.Metadata["patternType"], any("FAILED_AUTH"))
	if !slices.Contains(got.Tags, "suspicious-pattern") {
		t.Errorf("Tags = %q", got.Tags)
	}
	history = check.Must(t.History(t.Context(), a.Ref()))(t)
	check.Equal(t, "rows of history", len(history), 2)
	check.Equal(t, "By", history[1].By, ann)
}
