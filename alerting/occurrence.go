package alerting

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// ValidateOccurrence says whether a store can take an occurrence: it needs an
// organization, a fingerprint, an event key, a known severity, at least one
// occurrence, and FirstSeen not later than LastSeen. The error is
// [monitor.ErrNoOrganization] or an [InvalidError].
func ValidateOccurrence(a *monitor.Alert) error {
	if a == nil {
		return invalid("Alert", "is nil")
	}
	if err := ValidateOrganization(a.OrganizationID); err != nil {
		return err
	}
	switch {
	case a.Fingerprint == monitor.Fingerprint{}:
		return invalid("Alert.Fingerprint", "missing")
	case a.EventKey == monitor.EventKey{}:
		return invalid("Alert.EventKey", "missing")
	case a.Severity > monitor.SeverityCritical:
		return invalid("Alert.Severity", "%d is none", a.Severity)
	case a.Occurrences < 1:
		return invalid("Alert.Occurrences", "%d is less than 1", a.Occurrences)
	case a.FirstSeen.IsZero():
		return invalid("Alert.FirstSeen", "missing")
	case a.LastSeen.Before(a.FirstSeen):
		return invalid("Alert.LastSeen", "is before FirstSeen")
	}
	return nil
}

// Open returns the new alert that an occurrence opens, and the first row of its
// history. The alert is a copy of the occurrence with an ID of its own.
func Open(occurrence *monitor.Alert, now time.Time) (*monitor.Alert, Change) {
	o := *occurrence
	o.ID = ""
	o.Status = monitor.AlertActive
	o.CreatedAt, o.UpdatedAt = now, now
	o.AcknowledgedAt, o.AcknowledgedBy = time.Time{}, ""
	o.ResolvedAt, o.ResolvedBy, o.ResolutionNotes = time.Time{}, "", ""
	o.Version = 1
	return o.Detach(), Change{To: o.Status, By: o.Source, At: now, Version: o.Version}
}

// Join adds an occurrence to an open alert. The severity rises to that of the
// worst occurrence, the finding stays that of the first.
func Join(a, occurrence *monitor.Alert, now time.Time) {
	a.Occurrences += occurrence.Occurrences
	if occurrence.FirstSeen.Before(a.FirstSeen) {
		a.FirstSeen = occurrence.FirstSeen
	}
	if occurrence.LastSeen.After(a.LastSeen) {
		a.LastSeen = occurrence.LastSeen
	}
	if occurrence.Severity > a.Severity {
		a.Severity = occurrence.Severity
		a.Version++
	}
	a.UpdatedAt = now
}
