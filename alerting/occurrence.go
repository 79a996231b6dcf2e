package alerting

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// ValidateOccurrence says whether a store can take an occurrence: it needs an
// organization, a fingerprint, an event key, a known severity, a count of at
// least 1, and FirstSeen not later than LastSeen. The error is
// [monitor.ErrNoOrganization] or an [InvalidError].
func ValidateOccurrence(o *monitor.Occurrence) error {
	if o == nil {
		return invalid("Occurrence", "is nil")
	}
	if err := ValidateOrganization(o.Finding.OrganizationID); err != nil {
		return err
	}
	switch {
	case o.Fingerprint == monitor.Fingerprint{}:
		return invalid("Occurrence.Fingerprint", "missing")
	case o.EventKey == monitor.EventKey{}:
		return invalid("Occurrence.EventKey", "missing")
	case o.Finding.Severity > monitor.SeverityCritical:
		return invalid("Occurrence.Finding.Severity", "%d is none", o.Finding.Severity)
	case o.Count < 1:
		return invalid("Occurrence.Count", "%d is less than 1", o.Count)
	case o.FirstSeen.IsZero():
		return invalid("Occurrence.FirstSeen", "missing")
	case o.LastSeen.Before(o.FirstSeen):
		return invalid("Occurrence.LastSeen", "is before FirstSeen")
	}
	return nil
}

// Open returns the new alert that an occurrence opens, and the first row of its
// history.
func Open(o *monitor.Occurrence, now time.Time) (*monitor.Alert, Change) {
	a := o.Alert()
	a.CreatedAt, a.UpdatedAt, a.Version = now, now, 1
	return a, Change{To: a.Status, By: a.Source, At: now, Version: a.Version}
}

// Join adds an occurrence to an open alert. The severity rises to that of the
// worst occurrence, the finding stays that of the first.
func Join(a *monitor.Alert, o *monitor.Occurrence, now time.Time) {
	a.Occurrences += o.Count
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
