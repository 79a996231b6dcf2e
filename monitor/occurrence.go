package monitor

import (
	"slices"
	"strings"
	"time"
)

// An Occurrence is one qualifying event of a rule on its way into an alert. It
// belongs to the organization of its finding, and has the finding's severity.
//
// The occurrences of one organization and fingerprint belong to the same alert
// while that is open. Everything about an occurrence that an alert cannot share
// with its other occurrences is here; an [Alert] is what is stored.
type Occurrence struct {
	// Finding says which event qualifies, and why.
	Finding Finding
	// Fingerprint says which alert the occurrence belongs to.
	Fingerprint Fingerprint
	// EventKey identifies the event. A store counts each key once per alert.
	EventKey EventKey
	// Type is the type of an alert that the occurrence opens. Empty means
	// [AlertSecurity].
	Type AlertType
	// Source names the part of the application that found the event,
	// [Config.Source].
	Source string
	// CorrelationID is the event's.
	CorrelationID string
	// TraceID and SpanID identify the trace and the span in which the event was
	// processed. They are zero if it was not traced.
	TraceID TraceID
	SpanID  SpanID
	// Count is the number of qualifying events that the occurrence stands for.
	// It is 1, and more after rate limiting.
	Count int64
	// FirstSeen and LastSeen are the earliest and the latest timestamp of these
	// events.
	FirstSeen, LastSeen time.Time
}

// Alert returns the alert that the occurrence opens, with a new ID and with
// title, description, tags and metadata made from the finding. It shares nothing
// with the occurrence. CreatedAt, UpdatedAt and Version are for a store to set.
func (o *Occurrence) Alert() *Alert {
	f := o.Finding
	f.References = slices.Clone(f.References)
	a := &Alert{
		ID:             newID(time.Now()),
		Fingerprint:    o.Fingerprint,
		OrganizationID: f.OrganizationID,
		Severity:       f.Severity,
		Type:           o.Type,
		Title:          "Suspicious Pattern Detected: " + patternType(f.Rule),
		Description:    f.Describe(),
		Source:         o.Source,
		Status:         AlertActive,
		CorrelationID:  o.CorrelationID,
		TraceID:        o.TraceID,
		SpanID:         o.SpanID,
		Tags:           []string{"suspicious-pattern", strings.ReplaceAll(f.Rule, "_", "-")},
		Metadata:       f.metadata(),
		Finding:        f,
		Occurrences:    o.Count,
		FirstSeen:      o.FirstSeen,
		LastSeen:       o.LastSeen,
	}
	if a.Type == "" {
		a.Type = AlertSecurity
	}
	return a
}
