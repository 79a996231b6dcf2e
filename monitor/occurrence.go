package monitor

import (
	"encoding/hex"
	"maps"
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

// Clone returns a copy of the alert that shares no slice or map with it, except
// for maps and slices inside the values of Metadata.
func (a *Alert) Clone() *Alert {
	c := *a
	c.Finding.References = slices.Clone(a.Finding.References)
	c.Tags = slices.Clone(a.Tags)
	c.Metadata = maps.Clone(a.Metadata)
	return &c
}

// A TraceID identifies a trace, as in W3C Trace Context. Zero means none.
type TraceID [16]byte

// String returns the ID in lower-case hex.
func (t TraceID) String() string { return hex.EncodeToString(t[:]) }

// MarshalText writes the ID in lower-case hex.
func (t TraceID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, t[:]), nil }

// UnmarshalText reads an ID in hex.
func (t *TraceID) UnmarshalText(text []byte) error { return decodeHex("trace ID", t[:], text) }

// A SpanID identifies a span of a trace, as in W3C Trace Context. Zero means none.
type SpanID [8]byte

// String returns the ID in lower-case hex.
func (s SpanID) String() string { return hex.EncodeToString(s[:]) }

// MarshalText writes the ID in lower-case hex.
func (s SpanID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads an ID in hex.
func (s *SpanID) UnmarshalText(text []byte) error { return decodeHex("span ID", s[:], text) }
