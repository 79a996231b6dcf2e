package alertingtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

type changeFunc = func(context.Context, monitor.AlertRef, string, string) (*monitor.Alert, error)

// changes are the four methods that change a status, by the status that they set.
func (t *storeTest) changes() map[monitor.AlertStatus]changeFunc {
	return map[monitor.AlertStatus]changeFunc{
		monitor.AlertAcknowledged: t.Acknowledge,
		monitor.AlertResolved:     t.Resolve,
		monitor.AlertDismissed:    t.Dismiss,
		monitor.AlertActive:       t.Reopen,
	}
}

func testLifecycle(t *storeTest) {
	allowed := map[[2]monitor.AlertStatus]bool{
		{monitor.AlertActive, monitor.AlertAcknowledged}:    true,
		{monitor.AlertActive, monitor.AlertResolved}:        true,
		{monitor.AlertActive, monitor.AlertDismissed}:       true,
		{monitor.AlertAcknowledged, monitor.AlertResolved}:  true,
		{monitor.AlertAcknowledged, monitor.AlertDismissed}: true,
		{monitor.AlertResolved, monitor.AlertActive}:        true,
		{monitor.AlertDismissed, monitor.AlertActive}:       true,
	}
	changes := t.changes()
	for from := range changes {
		for to, change := range changes {
			name := fmt.Sprintf("from %s to %s", from, to)
			a := t.opened(acme, name, name, minutes(0))
			if from != monitor.AlertActive {
				a = t.ok(changes[from](t.Context(), a.Ref(), ann, ""))
			}
			got, err := change(t.Context(), a.Ref(), "bob", "")
			if allowed[[2]monitor.AlertStatus{from, to}] {
				if err != nil || got.Status != to || got.Version != a.Version+1 {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
				continue
			}
			bad, ok := errors.AsType[*alerting.TransitionError](err)
			if !ok || bad.From != from || bad.To != to || !errors.Is(err, alerting.ErrTransition) {
				t.Errorf("%s: error %v, want a TransitionError", name, err)
			}
			still := t.get(a.Ref())
			if still.Status != from || still.Version != a.Version || still.AcknowledgedBy == "bob" || still.ResolvedBy == "bob" {
				t.Errorf("%s: after a rejected change the alert is %+v", name, still)
			}
		}
	}
}

func testLifecycleFields(t *storeTest) {
	for _, end := range []monitor.AlertStatus{monitor.AlertResolved, monitor.AlertDismissed} {
		a := t.opened(acme, string(end), string(end), minutes(0))
		letClockMove()
		acknowledged := t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, "looking"))
		check.Equal(t, "AcknowledgedBy", acknowledged.AcknowledgedBy, ann)
		if !acknowledged.AcknowledgedAt.After(a.CreatedAt) || !acknowledged.UpdatedAt.Equal(acknowledged.AcknowledgedAt) {
			t.Errorf("acknowledged at %v, created at %v", acknowledged.AcknowledgedAt, a.CreatedAt)
		}
		letClockMove()
		closed := t.ok(t.changes()[end](t.Context(), a.Ref(), "bob", "it was a drill"))
		check.Equal(t, "ResolvedBy", closed.ResolvedBy, "bob")
		check.Equal(t, "ResolutionNotes", closed.ResolutionNotes, "it was a drill")
		check.Equal(t, "AcknowledgedBy when closed", closed.AcknowledgedBy, ann)
		if !closed.ResolvedAt.After(acknowledged.AcknowledgedAt) || !closed.UpdatedAt.Equal(closed.ResolvedAt) {
			t.Errorf("closed at %v, acknowledged at %v", closed.ResolvedAt, acknowledged.AcknowledgedAt)
		}
		stored := t.get(a.Ref())
		check.Equal(t, "stored ResolvedBy", stored.ResolvedBy, "bob")
		check.Equal(t, "stored ResolvedAt", stored.ResolvedAt, closed.ResolvedAt)

		reopened := t.ok(t.Reopen(t.Context(), a.Ref(), ann, "it was not"))
		if !reopened.AcknowledgedAt.IsZero() || !reopened.ResolvedAt.IsZero() ||
			reopened.AcknowledgedBy+reopened.ResolvedBy+reopened.ResolutionNotes != "" {
			t.Errorf("a reopened alert is still acknowledged or resolved: %+v", reopened)
		}
		check.Equal(t, "CreatedAt", reopened.CreatedAt, a.CreatedAt)
		// New occurrences are added to it again.
		d := t.one(Occurrence(acme, string(end), string(end)+"2", minutes(1)))
		check.Equal(t, "disposition", d.Stored, monitor.StoredRepeat)
		check.Equal(t, "alert", d.AlertID, a.ID)
	}
}

func testVersion(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	ref := a.Ref()
	ref.Version = a.Version
	// An occurrence does not change the version unless it raises the severity.
	t.put(Occurrence(acme, "mallory", "e2", minutes(1)))
	t.ok(t.Acknowledge(t.Context(), ref, ann, ""))
	for _, change := range []changeFunc{t.Acknowledge, t.Resolve, t.Dismiss, t.Reopen} {
		_, err := change(t.Context(), ref, ann, "")
		check.ErrorIs(t, "change of an older version", err, monitor.ErrConflict)
	}
	ref.Version = t.get(ref).Version
	worse := Occurrence(acme, "mallory", "e3", minutes(2))
	worse.Finding.Severity = monitor.SeverityCritical
	t.put(worse)
	_, err := t.Dismiss(t.Context(), ref, ann, "only medium")
	check.ErrorIs(t, "dismissal of what has become critical", err, monitor.ErrConflict)
	ref.Version = t.get(ref).Version
	t.ok(t.Resolve(t.Context(), ref, ann, ""))
}

func testReopenConflict(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	b := t.opened(acme, "mallory", "e2", minutes(1))
	_, err := t.Reopen(t.Context(), a.Ref(), ann, "")
	check.ErrorIs(t, "Reopen while another alert is open", err, monitor.ErrConflict)
	check.Equal(t, "Status", t.get(a.Ref()).Status, monitor.AlertResolved)
	t.ok(t.Acknowledge(t.Context(), b.Ref(), ann, ""))
	_, err = t.Reopen(t.Context(), a.Ref(), ann, "")
	check.ErrorIs(t, "Reopen while another alert is acknowledged", err, monitor.ErrConflict)
	// Reopening an open alert is a TransitionError, not a conflict.
	_, err = t.Reopen(t.Context(), b.Ref(), ann, "")
	check.ErrorIs(t, "Reopen of the open alert", err, alerting.ErrTransition)
}

func testReopenOlder(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
	b := t.opened(acme, "mallory", "e2", minutes(1))
	t.ok(t.Dismiss(t.Context(), b.Ref(), ann, ""))
	t.ok(t.Reopen(t.Context(), a.Ref(), ann, ""))
	d := t.one(Occurrence(acme, "mallory", "e3", minutes(2)))
	check.Equal(t, "disposition", d.Stored, monitor.StoredRepeat)
	check.Equal(t, "alert", d.AlertID, a.ID)
	_, err := t.Reopen(t.Context(), b.Ref(), ann, "")
	check.ErrorIs(t, "Reopen of the newer alert", err, monitor.ErrConflict)
}

func testHistory(t *storeTest) {
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.put(Occurrence(acme, "mallory", "e2", minutes(1))) // adds no change to the history
	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, "looking"))
	if _, err := t.Acknowledge(t.Context(), a.Ref(), "bob", "refused"); err == nil {
		t.Error("acknowledged twice")
	}
	t.ok(t.Resolve(t.Context(), a.Ref(), "bob", "done"))
	reopened := t.ok(t.Reopen(t.Context(), a.Ref(), ann, ""))
	t.ok(t.Dismiss(t.Context(), a.Ref(), "bob", "really"))
	history := check.Must(t.History(t.Context(), a.Ref()))(t)
	rows := []alerting.Change{
		{To: monitor.AlertActive, By: "audit-monitoring", Version: 1},
		{From: monitor.AlertActive, To: monitor.AlertAcknowledged, By: ann, Note: "looking", Version: 2},
		{From: monitor.AlertAcknowledged, To: monitor.AlertResolved, By: "bob", Note: "done", Version: 3},
		{From: monitor.AlertResolved, To: monitor.AlertActive, By: ann, Version: 4},
		{From: monitor.AlertActive, To: monitor.AlertDismissed, By: "bob", Note: "really", Version: 5},
	}
	if len(history) != len(rows) {
		t.Fatalf("history has %d changes, want %d: %+v", len(history), len(rows), history)
	}
	check.Equal(t, "time of the opening", history[0].At, a.CreatedAt)
	check.Equal(t, "time of reopening", history[3].At, reopened.UpdatedAt)
	for i, got := range history {
		if i > 0 && got.At.Before(history[i-1].At) {
			t.Errorf("change %d is earlier than the one before it", i)
		}
		got.At = rows[i].At
		check.Equal(t, fmt.Sprintf("row %d", i), got, rows[i])
	}
}

func testNotFound(t *storeTest) {
	t.opened(acme, "mallory", "e1", minutes(0))
	for _, id := range []string{"", "nonsense", "018f0000-0000-7000-8000-000000000000", "'; DROP TABLE alerts; --", "a\x00b", "\xff"} {
		t.eachByReference(monitor.AlertRef{Organization: acme, ID: id}, func(what string, err error) {
			check.ErrorIs(t, fmt.Sprintf("%s of %q", what, id), err, monitor.ErrNotFound)
		})
	}
}

// eachByReference calls every method that takes a reference to an alert.
func (t *storeTest) eachByReference(ref monitor.AlertRef, check func(what string, err error)) {
	for to, change := range t.changes() {
		_, err := change(t.Context(), ref, ann, "")
		check("change to "+string(to), err)
	}
	_, err := t.Get(t.Context(), ref)
	check("Get", err)
	_, err = t.Evidence(t.Context(), ref)
	check("Evidence", err)
	_, err = t.History(t.Context(), ref)
	check("History", err)
}
