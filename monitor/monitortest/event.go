package monitortest

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Time returns the timestamp of the events that [NewEvent] returns: Monday, March
// 2, 2026, 10:00 UTC.
func Time() time.Time { return time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC) }

// OffHours returns a timestamp of the night before [Time], 02:30 UTC, at which the
// rules for off-hours expect nobody. Rules go by the timestamps of events, so that a
// test needs no clock of its own.
func OffHours() time.Time { return Time().Add(-7*time.Hour - 30*time.Minute) }

// NewEvent returns a valid event that no default rule finds suspicious, and
// applies the edits to it. The event has no ID, so two of them are not duplicates.
func NewEvent(edits ...func(e *monitor.Event)) *monitor.Event {
	e := &monitor.Event{
		Timestamp:          Time(),
		Action:             "data.read",
		Status:             monitor.StatusSuccess,
		PrincipalID:        "user-1",
		OrganizationID:     "org-1",
		TargetResourceType: "Patient",
		TargetResourceID:   "patient-1",
		OutcomeDescription: "record was read",
		Session:            monitor.Session{ID: "session-1", IPAddress: "192.0.2.1", UserAgent: "test"},
		DataClassification: monitor.ClassificationInternal,
		RecordCount:        1,
	}
	for _, edit := range edits {
		edit(e)
	}
	return e
}
