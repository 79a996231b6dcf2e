package alerting

import (
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// ErrTransition says that the alert's status does not allow the change. The
// [TransitionError] that is one names the two statuses.
var ErrTransition = errors.New("transition not allowed")

// A TransitionError is a change of status that the lifecycle does not have. It
// is an [ErrTransition].
type TransitionError struct {
	From, To monitor.AlertStatus
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("alerting: an alert that is %s cannot become %s", e.From, e.To)
}

// Is reports whether target is [ErrTransition].
func (e *TransitionError) Is(target error) bool { return target == ErrTransition }

// A Change is a row of an alert's history: one change of its status.
type Change struct {
	// From is empty for the row that says that the alert was opened.
	From monitor.AlertStatus `json:"from,omitempty"`
	To   monitor.AlertStatus `json:"to"`
	// By is who made the change; for the opening it is the alert's source.
	By   string `json:"by"`
	Note string `json:"note,omitempty"`
	// At is the store's time.
	At time.Time `json:"at"`
	// Version is that of the alert after the change.
	Version int64 `json:"version"`
}

// ChangeStatus makes the change to an alert, or says why it cannot be made: an
// [InvalidError] for by and note, a [monitor.ErrConflict] if version is neither
// 0 nor the alert's, a [TransitionError]. An alert that cannot be changed is left
// as it is. Whether another alert of the fingerprint is open, which forbids to
// reopen, is for the store to find out.
func ChangeStatus(a *monitor.Alert, to monitor.AlertStatus, version int64, by, note string, now time.Time) (Change, error) {
	if err := CheckActor(by); err != nil {
		return Change{}, err
	}
	if err := checkText("note", note, maxNote); err != nil {
		return Change{}, err
	}
	if version != 0 && version != a.Version {
		return Change{}, fmt.Errorf("alerting: the alert has version %d, not %d: %w", a.Version, version, monitor.ErrConflict)
	}
	if !allowed(a.Status, to) {
		return Change{}, &TransitionError{From: a.Status, To: to}
	}
	c := Change{From: a.Status, To: to, By: by, Note: note, At: now, Version: a.Version + 1}
	switch to {
	case monitor.AlertAcknowledged:
		a.AcknowledgedAt, a.AcknowledgedBy = now, by
	case monitor.AlertResolved, monitor.AlertDismissed:
		a.ResolvedAt, a.ResolvedBy, a.ResolutionNotes = now, by, note
	case monitor.AlertActive:
		a.AcknowledgedAt, a.AcknowledgedBy = time.Time{}, ""
		a.ResolvedAt, a.ResolvedBy, a.ResolutionNotes = time.Time{}, "", ""
	}
	a.Status, a.Version, a.UpdatedAt = to, c.Version, now
	return c, nil
}

// allowed is the lifecycle.
func allowed(from, to monitor.AlertStatus) bool {
	switch to {
	case monitor.AlertAcknowledged:
		return from == monitor.AlertActive
	case monitor.AlertResolved, monitor.AlertDismissed:
		return from.Open()
	case monitor.AlertActive:
		return from == monitor.AlertResolved || from == monitor.AlertDismissed
	default:
		return false
	}
}
