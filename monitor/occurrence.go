package monitor

import (
	"slices"
	"strings"
	"time"
)

// An Occurrence is one qualifying event of a rule that is to be added to an alert.
// Its organization and its severity are those of the finding.
//
// While an alert is open, all occurrences with its organization and fingerprint
// belong to it. An [Alert] is what is stored.
type Occurrence struct {
	// Finding reports which event qualifies, and why.
	Finding Finding
	// Fingerprint identifies the alert that the occurrence belongs to.
	Fingerprint Fingerprint
	// EventKey identifies the event. A store counts each key once per alert.
	EventKey EventKey
	// Type is the type of a new alert. Empty means [AlertSecurity].
	Type AlertType
	// Source is the [Config.Source] of the monitor.
	Source string
	// CorrelationID is the [Event.CorrelationID] of the event.
	CorrelationID string
	// TraceID and SpanID identify the trace and the span in which the event was
	// processed. They are zero if it was not traced.
	TraceID TraceID
	SpanID  SpanID
	// Count is the number of qualifying events that the occurrence stands for. It is
	// more than 1 only if a rate limit aggregated occurrences.
	Count int64
	// FirstSeen and LastSeen are the earliest and the latest timestamp of these
	// events.
	FirstSeen, LastSeen time.Time
}

// Alert returns a new alert for the occurrence, with a new ID and with a title, a
// description, tags and metadata made from the finding. It shares no memory with
// the occurrence. It leaves CreatedAt, UpdatedAt and Version for the store to set.
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
