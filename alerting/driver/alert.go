package driver

import (
	"fmt"
	"math"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// RedeliveryHorizon is how long after an alert was closed an event that it has counted
// may be delivered again.
const RedeliveryHorizon = 24 * time.Hour

// Open returns the new alert that an occurrence opens, and the first record of its
// history. Now is the store's time, here and in the other functions.
func Open(o *monitor.Occurrence, now time.Time) (*monitor.Alert, alerting.Change) {
	a := o.Alert()
	a.CreatedAt, a.UpdatedAt, a.Version = now, now, 1
	return a, alerting.Change{To: a.Status, By: a.Source, At: now, Version: a.Version}
}

// Join adds an occurrence to an open alert. It raises the severity of the alert if
// that of the occurrence is higher, and keeps the alert's finding. The number of
// occurrences does not overflow.
func Join(a *monitor.Alert, o *monitor.Occurrence, now time.Time) {
	a.Occurrences += min(o.Count, math.MaxInt64-a.Occurrences)
	if o.FirstSeen.Before(a.FirstSeen) {
		a.FirstSeen = o.FirstSeen
	}
	if o.LastSeen.After(a.LastSeen) {
		a.LastSeen = o.LastSeen
	}
	if o.Finding.Severity > a.Severity {
		a.Severity = o.Finding.Severity
		a.Version++
	}
	a.UpdatedAt = now
}

// ChangeStatus changes the status of an alert and returns the record for its history.
// The error is a [monitor.ErrConflict] if version is neither 0 nor the alert's
// version, and an [alerting.TransitionError] if the alert's status does not allow the
// change. The alert is unchanged after an error.
func ChangeStatus(
	a *monitor.Alert, to monitor.AlertStatus, version int64, by, note string, now time.Time,
) (alerting.Change, error) {
	if version != 0 && version != a.Version {
		return alerting.Change{}, fmt.Errorf("the alert has version %d, not %d: %w", a.Version, version, monitor.ErrConflict)
	}
	if !allowed(a.Status, to) {
		return alerting.Change{}, &alerting.TransitionError{From: a.Status, To: to}
	}
	c := alerting.Change{From: a.Status, To: to, By: by, Note: note, At: now, Version: a.Version + 1}
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

// allowed reports whether the lifecycle allows a change of status.
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
