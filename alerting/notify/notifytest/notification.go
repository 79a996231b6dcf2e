// Package notifytest helps to test destinations of notifications. It provides
// sample notifications and [RunHTTP], the suite for destinations that use HTTP.
package notifytest

import (
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Hostile is a text that an attacker might put into an event. If it is not
// escaped, it breaks out of lines, headers, HTML, JSON and Slack markup.
const Hostile = "eve\r\nX-Injected: yes\r\n\r\n<script>alert(\"1\")</script> <!channel> &amp; {{.Reason}} \x00\u2028\u202e"

// Notification returns a sample notification about a new alert.
func Notification() *alerting.Notification {
	at := time.Date(2026, 3, 1, 2, 30, 0, 0, time.UTC)
	o := &monitor.Occurrence{
		Fingerprint: monitor.FingerprintOf("failed_auth", "acme", "mallory"),
		Source:      "audit-monitoring",
		Count:       3,
		FirstSeen:   at.Add(-time.Minute),
		LastSeen:    at,
		Finding: monitor.Finding{
			Rule:           "failed_auth",
			Severity:       monitor.SeverityHigh,
			OrganizationID: "acme",
			Key:            "mallory",
			KeyField:       "principalId",
			Event:          monitor.EventRef{ID: "event-5", Timestamp: at},
			Count:          5,
			Threshold:      5,
			Window:         5 * time.Minute,
		},
	}
	a := o.Alert()
	a.ID, a.CreatedAt, a.UpdatedAt, a.Version = "alert-1", at, at, 1
	return &alerting.Notification{
		Key:       "notification-1",
		Reason:    alerting.ReasonOpened,
		Alert:     a,
		CreatedAt: at,
		Attempts:  1,
	}
}

// InStatus returns a sample notification about that alert in another status.
func InStatus(status monitor.AlertStatus) *alerting.Notification {
	n := Notification()
	a := n.Alert
	a.Status = status
	at := a.CreatedAt.Add(10 * time.Minute)
	switch status {
	case monitor.AlertAcknowledged:
		n.Reason = alerting.ReasonAcknowledged
		a.AcknowledgedAt, a.AcknowledgedBy = at, "ann"
	case monitor.AlertResolved:
		n.Reason = alerting.ReasonResolved
		a.ResolvedAt, a.ResolvedBy, a.ResolutionNotes = at, "bob", "password reset"
	case monitor.AlertDismissed:
		n.Reason = alerting.ReasonDismissed
		a.ResolvedAt, a.ResolvedBy, a.ResolutionNotes = at, "bob", "a test"
	}
	return n
}

// Filled puts the text into the key and into every field of the alert that may have
// text from events or users, except for those of a status that it does not have. It
// returns the notification.
func Filled(n *alerting.Notification, text string) *alerting.Notification {
	a := n.Alert
	for _, field := range []*string{
		&n.Key, &a.ID, &a.Title, &a.Description, &a.Source, &a.OrganizationID, &a.CorrelationID,
		&a.Finding.Rule, &a.Finding.OrganizationID, &a.Finding.Key, &a.Finding.Detail, &a.Finding.Event.ID,
	} {
		*field = text
	}
	for _, field := range []*string{&a.AcknowledgedBy, &a.ResolvedBy, &a.ResolutionNotes} {
		if *field != "" {
			*field = text
		}
	}
	a.Tags, a.Metadata = []string{text}, map[string]any{text: text}
	return n
}
