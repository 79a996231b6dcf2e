package monitor

import (
	"cmp"
	"fmt"
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
	// Evidence is the JSON of the event that the finding is about or, if an event that
	// was late made it qualify, of that one. It is empty unless [Config.Evidence] is set,
	// or if the event has no JSON, see [Event.AppendJSON].
	Evidence string
	// Count is the number of qualifying events that the occurrence stands for. It is
	// more than 1 only if a rate limit aggregated occurrences.
	Count int64
	// FirstSeen and LastSeen are the earliest and the latest timestamp of these
	// events, and no later than the clock by more than [Config.MaxSkew], unless that
	// is -1.
	FirstSeen, LastSeen time.Time
}

// Alert returns a new alert for the occurrence, with a new ID and with a title, a
// description, tags and metadata made from the finding and its [Guidance]. It shares
// no memory with the occurrence. It leaves CreatedAt, UpdatedAt and Version for the
// store to set.
func (o *Occurrence) Alert() *Alert {
	f := o.Finding.clone()
	f.Guidance = f.Guidance.clone()
	a := &Alert{
		ID:             newID(time.Now()),
		Fingerprint:    o.Fingerprint,
		OrganizationID: f.OrganizationID,
		Severity:       f.Severity,
		Type:           AlertType(strings.Clone(string(o.Type))),
		Title:          "Suspicious Pattern Detected: " + patternType(f.Rule),
		Description:    f.Describe(),
		Source:         strings.Clone(o.Source),
		Status:         AlertActive,
		CorrelationID:  strings.Clone(o.CorrelationID),
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
	if g := f.Guidance; g != nil {
		g.render(&f)
		a.Title, a.Description = cmp.Or(line(g.Title), a.Title), cmp.Or(line(g.Description), a.Description)
		for _, tag := range g.Tags {
			if !slices.Contains(a.Tags, tag) {
				a.Tags = append(a.Tags, tag)
			}
		}
	}
	return a
}

// Validate returns an [*InvalidOccurrenceError] if no store can keep the occurrence:
// if its fingerprint, event key or a time is missing, if its organization does not
// pass [CheckOrganization], if a text is too large, if the severity is unknown, if the
// count is less than 1, or if a time is before 1678 or after 2261.
func (o *Occurrence) Validate() error {
	if o == nil {
		return &InvalidOccurrenceError{Err: errNil}
	}
	f := &o.Finding
	if err := CheckOrganization(f.OrganizationID); err != nil {
		return &InvalidOccurrenceError{"Finding.OrganizationID", err}
	}
	wrong := func(field, format string, args ...any) error {
		return &InvalidOccurrenceError{field, fmt.Errorf(format, args...)}
	}
	switch {
	case o.Fingerprint == Fingerprint{}:
		return wrong("Fingerprint", "missing")
	case o.EventKey == EventKey{}:
		return wrong("EventKey", "missing")
	case f.Severity > SeverityCritical:
		return wrong("Finding.Severity", "%d is not a severity", f.Severity)
	case o.Count < 1:
		return wrong("Count", "%d is less than 1", o.Count)
	}
	for _, text := range [...]struct {
		field, text string
		limit       int
	}{
		{"Finding.Rule", f.Rule, MaxRuleSize},
		{"Finding.Key", f.Key, maxFindingText},
		{"Finding.KeyField", f.KeyField, MaxFieldSize},
		{"Finding.Event.ID", f.Event.ID, MaxFieldSize},
		{"Finding.CompletedBy.ID", f.CompletedBy.ID, MaxFieldSize},
		{"Finding.Technique", f.Technique, MaxFieldSize},
		{"Finding.Detail", f.Detail, maxFindingText},
		{"Type", string(o.Type), MaxFieldSize},
		{"Source", o.Source, MaxFieldSize},
		{"CorrelationID", o.CorrelationID, MaxFieldSize},
		{"Evidence", o.Evidence, MaxEventSize},
	} {
		if err := checkSize(text.text, text.limit); err != nil {
			return &InvalidOccurrenceError{text.field, err}
		}
	}
	if f.Guidance != nil {
		if err := f.Guidance.checkSize(); err != nil {
			return &InvalidOccurrenceError{"Finding.Guidance", err}
		}
	}
	if err := f.checkTimes(); err != nil {
		return err
	}
	if err := checkTime(o.FirstSeen); err != nil {
		return &InvalidOccurrenceError{"FirstSeen", err}
	}
	if err := checkTime(o.LastSeen); err != nil {
		return &InvalidOccurrenceError{"LastSeen", err}
	}
	if o.LastSeen.Before(o.FirstSeen) {
		return wrong("LastSeen", "is before FirstSeen")
	}
	return nil
}

// checkTimes checks the timestamps of the events that a finding refers to. Only
// that of the qualifying event must be known.
func (f *Finding) checkTimes() error {
	if err := checkTime(f.Event.Timestamp); err != nil {
		return &InvalidOccurrenceError{"Finding.Event.Timestamp", err}
	}
	if at := f.CompletedBy.Timestamp; !at.IsZero() {
		if err := checkTime(at); err != nil {
			return &InvalidOccurrenceError{"Finding.CompletedBy.Timestamp", err}
		}
	}
	for i := range f.References {
		r := &f.References[i]
		if err := checkSize(r.ID, MaxFieldSize); err != nil {
			return &InvalidOccurrenceError{"Finding.References.ID", err}
		}
		if r.Timestamp.IsZero() {
			continue
		}
		if err := checkTime(r.Timestamp); err != nil {
			return &InvalidOccurrenceError{"Finding.References.Timestamp", err}
		}
	}
	return nil
}
