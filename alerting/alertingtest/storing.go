package alertingtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

func testOpen(t *storeTest) {
	before := time.Now().Add(-time.Minute)
	a := t.opened(acme, "mallory", "e1", minutes(0))
	want(t, "OrganizationID", a.OrganizationID, acme)
	want(t, "Fingerprint", a.Fingerprint, monitor.FingerprintOf("failed_auth", acme, "mallory"))
	want(t, "Status", a.Status, monitor.AlertActive)
	want(t, "Severity", a.Severity, monitor.SeverityMedium)
	want(t, "Type", a.Type, monitor.AlertSecurity)
	want(t, "Source", a.Source, "audit-monitoring")
	want(t, "Title", a.Title, "Suspicious Pattern Detected: FAILED_AUTH")
	want(t, "Occurrences", a.Occurrences, 1)
	want(t, "Version", a.Version, 1)
	t.wantTime("FirstSeen", a.FirstSeen, minutes(0))
	t.wantTime("LastSeen", a.LastSeen, minutes(0))
	t.wantTime("UpdatedAt", a.UpdatedAt, a.CreatedAt)
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
	want(t, "Finding.Rule", f.Rule, "failed_auth")
	want(t, "Finding.Key", f.Key, "mallory")
	want(t, "Finding.Count", f.Count, 5)
	want(t, "Finding.Threshold", f.Threshold, 5)
	want(t, "Finding.Window", f.Window, 5*time.Minute)
	want(t, "Finding.Technique", f.Technique, "T1110")
	want(t, "Finding.Event.ID", f.Event.ID, "e1")
	if len(f.References) != 1 || f.References[0].ID != "e1" || !f.References[0].Timestamp.Equal(minutes(0)) {
		t.Errorf("Finding.References = %v", f.References)
	}
	want(t, "trace", a.TraceID, monitor.TraceID{})
	want(t, "span", a.SpanID, monitor.SpanID{})
	// The alert has the trace of the occurrence that opened it.
	o := Occurrence(acme, "eve", "e2", minutes(0))
	o.TraceID, o.SpanID, o.CorrelationID = monitor.TraceID{1, 15: 2}, monitor.SpanID{3, 7: 4}, "c1"
	traced := monitor.AlertRef{Organization: acme, ID: t.one(o).AlertID}
	o = Occurrence(acme, "eve", "e3", minutes(0))
	o.TraceID, o.CorrelationID = monitor.TraceID{5}, "c2"
	t.put(o)
	a = t.get(traced)
	want(t, "trace", a.TraceID, monitor.TraceID{1, 15: 2})
	want(t, "span", a.SpanID, monitor.SpanID{3, 7: 4})
	want(t, "correlation", a.CorrelationID, "c1")
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
		want(t, fmt.Sprintf("disposition %d", i), d.Stored, monitor.StoredRepeat)
		want(t, fmt.Sprintf("alert %d", i), d.AlertID, a.ID)
	}
	got := t.get(a.Ref())
	want(t, "Occurrences", got.Occurrences, 13)
	want(t, "Severity", got.Severity, monitor.SeverityCritical)
	want(t, "Version", got.Version, 2) // the severity rose once
	want(t, "Finding.Event.ID", got.Finding.Event.ID, "e1")
	t.wantTime("FirstSeen", got.FirstSeen, minutes(0))
	t.wantTime("LastSeen", got.LastSeen, minutes(3))
	t.wantTime("CreatedAt", got.CreatedAt, a.CreatedAt)
	if !got.UpdatedAt.After(a.UpdatedAt) {
		t.Errorf("UpdatedAt stayed at %v", got.UpdatedAt)
	}
	want(t, "alerts", t.count(alerting.Query{Organization: acme}), 1)

	// An acknowledged alert is open as well.
	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, ""))
	d := t.one(Occurrence(acme, "mallory", "e5", minutes(4)))
	want(t, "disposition when acknowledged", d.Stored, monitor.StoredRepeat)
	got = t.get(a.Ref())
	want(t, "Occurrences when acknowledged", got.Occurrences, 14)
	want(t, "Status when acknowledged", got.Status, monitor.AlertAcknowledged)
}

func testOutOfOrder(t *storeTest) {
	a := t.opened(acme, "mallory", "e5", minutes(5))
	t.put(Occurrence(acme, "mallory", "e1", minutes(1)), Occurrence(acme, "mallory", "e9", minutes(9)))
	t.put(Occurrence(acme, "mallory", "e3", minutes(3)))
	got := t.get(a.Ref())
	want(t, "Occurrences", got.Occurrences, 4)
	t.wantTime("FirstSeen", got.FirstSeen, minutes(1))
	t.wantTime("LastSeen", got.LastSeen, minutes(9))
}

func testBatch(t *storeTest) {
	if ds, err := t.StoreOccurrences(t.Context(), nil); err != nil || len(ds) != 0 {
		t.Errorf("StoreOccurrences of nothing returned %v, %v", ds, err)
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
		want(t, fmt.Sprintf("disposition %d", i), ds[i].Stored, stored)
	}
	want(t, "alert of number 2", ds[2].AlertID, ds[0].AlertID)
	want(t, "alert of number 3", ds[3].AlertID, ds[0].AlertID)
	if ds[1].AlertID == ds[0].AlertID || ds[4].AlertID == ds[0].AlertID {
		t.Error("different incidents share an alert")
	}
	got := t.get(monitor.AlertRef{Organization: acme, ID: ds[0].AlertID})
	want(t, "Occurrences", got.Occurrences, 2)

	// As large as a flush.
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
	want(t, "Occurrences", t.get(got.Ref()).Occurrences, 1002)
}

func testBatchAllOrNothing(t *storeTest) {
	bad := Occurrence(acme, "eve", "e2", minutes(0))
	bad.EventKey = monitor.EventKey{}
	_, err := t.StoreOccurrences(t.Context(), []*monitor.Occurrence{Occurrence(acme, "mallory", "e1", minutes(0)), bad})
	t.wantInvalid("StoreOccurrences", err, "Occurrence.EventKey")
	want(t, "alerts", t.count(alerting.Query{Organization: acme}), 0)
	// A store may refuse what it cannot represent, but only together with the rest.
	_, err = t.store.StoreOccurrences(t.Context(), []*monitor.Occurrence{
		Occurrence(acme, "mallory", "e1", minutes(0)), Occurrence(strings.Repeat("x", 10_000), "eve", "e2", minutes(0)),
	})
	if err != nil {
		want(t, "alerts", t.count(alerting.Query{Organization: acme}), 0)
		want(t, "disposition", t.one(Occurrence(acme, "mallory", "e1", minutes(0))).Stored, monitor.StoredNew)
	}
}

func testInvalidOccurrence(t *storeTest) {
	_, err := t.StoreOccurrences(t.Context(), []*monitor.Occurrence{nil})
	t.wantInvalid("nil", err, "Occurrence")
	for field, spoil := range map[string]func(o *monitor.Occurrence){
		"Organization":                func(o *monitor.Occurrence) { o.Finding.OrganizationID = "ac\x00me" },
		"Occurrence.Fingerprint":      func(o *monitor.Occurrence) { o.Fingerprint = monitor.Fingerprint{} },
		"Occurrence.EventKey":         func(o *monitor.Occurrence) { o.EventKey = monitor.EventKey{} },
		"Occurrence.Finding.Severity": func(o *monitor.Occurrence) { o.Finding.Severity = monitor.SeverityCritical + 1 },
		"Occurrence.Count":            func(o *monitor.Occurrence) { o.Count = 0 },
		"Occurrence.FirstSeen":        func(o *monitor.Occurrence) { o.FirstSeen = time.Time{} },
		"Occurrence.LastSeen":         func(o *monitor.Occurrence) { o.LastSeen = o.FirstSeen.Add(-1) },
	} {
		o := Occurrence(acme, "mallory", "e1", minutes(0))
		spoil(o)
		_, err := t.StoreOccurrences(t.Context(), []*monitor.Occurrence{o})
		t.wantInvalid(field, err, field)
	}
	want(t, "alerts", t.count(alerting.Query{Organization: alerting.AllOrganizations}), 0)
}

func testRetryCountsOnce(t *storeTest) {
	first := t.opened(acme, "mallory", "e1", minutes(0))
	t.put(Occurrence(acme, "mallory", "e2", minutes(1)))
	before := t.get(first.Ref())
	for _, event := range []string{"e1", "e2", "e1"} {
		d := t.one(Occurrence(acme, "mallory", event, minutes(30)))
		want(t, "disposition of "+event, d, monitor.Disposition{AlertID: first.ID, Stored: monitor.StoredBefore})
	}
	after := t.get(first.Ref())
	want(t, "Occurrences", after.Occurrences, 2)
	t.wantTime("LastSeen", after.LastSeen, before.LastSeen)
	want(t, "Version", after.Version, before.Version)
	// The same event counts in another incident.
	want(t, "disposition", t.one(Occurrence(acme, "eve", "e1", minutes(0))).Stored, monitor.StoredNew)
}

func testRetryAfterClose(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	d := t.one(Occurrence(acme, "mallory", "e1", minutes(0)))
	want(t, "disposition", d, monitor.Disposition{AlertID: a.ID, Stored: monitor.StoredBefore})
	want(t, "alerts", t.count(alerting.Query{Organization: acme}), 1)
	want(t, "Status", t.get(a.Ref()).Status, monitor.AlertResolved)
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
		want(t, "disposition", d.Stored, monitor.StoredNew)
		want(t, "notification of a new alert inside the cooldown", d.Notify, monitor.NotifyDue)
		if d.AlertID == a.ID {
			t.Error("the occurrence joined a closed alert")
		}
		still := t.get(a.Ref())
		want(t, "Occurrences of the closed alert", still.Occurrences, 1)
		want(t, "Version of the closed alert", still.Version, closed.Version)
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
	history, err := t.History(t.Context(), a.Ref())
	if err != nil {
		t.Fatal(err)
	}
	clear(history)

	got := t.get(a.Ref())
	want(t, "Status", got.Status, monitor.AlertAcknowledged)
	want(t, "Occurrences", got.Occurrences, 1)
	want(t, "reference", got.Finding.References[0].ID, "e1")
	want(t, "metadata", got.Metadata["patternType"], any("FAILED_AUTH"))
	if !slices.Contains(got.Tags, "suspicious-pattern") {
		t.Errorf("Tags = %q", got.Tags)
	}
	if history, err = t.History(t.Context(), a.Ref()); err != nil || len(history) != 2 || history[1].By != ann {
		t.Errorf("history = %v, %v", history, err)
	}
}
