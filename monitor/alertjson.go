package monitor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// alertJSON is the JSON form of an alert.
type alertJSON struct {
	ID              string         `json:"id"`
	Severity        Severity       `json:"severity"`
	Type            AlertType      `json:"type"`
	Title           string         `json:"title"`
	Description     string         `json:"description"`
	CreatedAt       time.Time      `json:"createdAt,omitzero"`
	Source          string         `json:"source"`
	Status          AlertStatus    `json:"status"`
	Metadata        map[string]any `json:"metadata,omitempty"`
	Acknowledged    bool           `json:"acknowledged"`
	AcknowledgedAt  time.Time      `json:"acknowledgedAt,omitzero"`
	AcknowledgedBy  string         `json:"acknowledgedBy,omitempty"`
	Resolved        bool           `json:"resolved"`
	ResolvedAt      time.Time      `json:"resolvedAt,omitzero"`
	ResolvedBy      string         `json:"resolvedBy,omitempty"`
	ResolutionNotes string         `json:"resolutionNotes,omitempty"`
	CorrelationID   string         `json:"correlationId,omitempty"`
	Tags            []string       `json:"tags,omitempty"`
	OrganizationID  string         `json:"organizationId"`

	Fingerprint Fingerprint `json:"fingerprint,omitzero"`
	TraceID     TraceID     `json:"traceId,omitzero"`
	SpanID      SpanID      `json:"spanId,omitzero"`
	Occurrences int64       `json:"occurrences"`
	FirstSeen   time.Time   `json:"firstSeen,omitzero"`
	LastSeen    time.Time   `json:"lastSeen,omitzero"`
	UpdatedAt   time.Time   `json:"updatedAt,omitzero"`
	Version     int64       `json:"version"`
	Finding     Finding     `json:"finding"`
}

// MarshalJSON encodes the alert. Its members are named like the fields, in camel
// case. Times are RFC 3339 in UTC; zero times, and trace and span ID when they
// are zero, are left out. The members acknowledged and resolved say whether
// acknowledgedAt and resolvedAt are set.
func (a Alert) MarshalJSON() ([]byte, error) { return json.Marshal(a.json()) }

// UnmarshalJSON decodes what MarshalJSON encodes and overwrites whatever is in
// a. The numbers in Metadata become [encoding/json.Number]. acknowledged and
// resolved are not looked at.
func (a *Alert) UnmarshalJSON(text []byte) error {
	var v alertJSON
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("monitor: decode alert: %w", err)
	}
	*a = v.alert()
	return nil
}

func (a *Alert) json() alertJSON {
	return alertJSON{
		ID:              a.ID,
		Severity:        a.Severity,
		Type:            a.Type,
		Title:           a.Title,
		Description:     a.Description,
		CreatedAt:       a.CreatedAt.UTC(),
		Source:          a.Source,
		Status:          a.Status,
		Metadata:        a.Metadata,
		Acknowledged:    !a.AcknowledgedAt.IsZero(),
		AcknowledgedAt:  a.AcknowledgedAt.UTC(),
		AcknowledgedBy:  a.AcknowledgedBy,
		Resolved:        !a.ResolvedAt.IsZero(),
		ResolvedAt:      a.ResolvedAt.UTC(),
		ResolvedBy:      a.ResolvedBy,
		ResolutionNotes: a.ResolutionNotes,
		CorrelationID:   a.CorrelationID,
		Tags:            a.Tags,
		OrganizationID:  a.OrganizationID,
		Fingerprint:     a.Fingerprint,
		TraceID:         a.TraceID,
		SpanID:          a.SpanID,
		Occurrences:     a.Occurrences,
		FirstSeen:       a.FirstSeen.UTC(),
		LastSeen:        a.LastSeen.UTC(),
		UpdatedAt:       a.UpdatedAt.UTC(),
		Version:         a.Version,
		Finding:         a.Finding,
	}
}

func (v *alertJSON) alert() Alert {
	return Alert{
		ID:              v.ID,
		Fingerprint:     v.Fingerprint,
		OrganizationID:  v.OrganizationID,
		Severity:        v.Severity,
		Type:            v.Type,
		Title:           v.Title,
		Description:     v.Description,
		Source:          v.Source,
		Status:          v.Status,
		CorrelationID:   v.CorrelationID,
		Tags:            v.Tags,
		Metadata:        v.Metadata,
		Finding:         v.Finding,
		TraceID:         v.TraceID,
		SpanID:          v.SpanID,
		Occurrences:     v.Occurrences,
		FirstSeen:       v.FirstSeen,
		LastSeen:        v.LastSeen,
		CreatedAt:       v.CreatedAt,
		UpdatedAt:       v.UpdatedAt,
		AcknowledgedAt:  v.AcknowledgedAt,
		AcknowledgedBy:  v.AcknowledgedBy,
		ResolvedAt:      v.ResolvedAt,
		ResolvedBy:      v.ResolvedBy,
		ResolutionNotes: v.ResolutionNotes,
		Version:         v.Version,
	}
}

// findingJSON is the JSON form of a finding.
type findingJSON struct {
	Rule           string       `json:"rule"`
	Severity       Severity     `json:"severity"`
	OrganizationID string       `json:"organizationId"`
	Key            string       `json:"key"`
	KeyField       string       `json:"keyField,omitempty"`
	Event          EventRef     `json:"event"`
	CompletedBy    EventRef     `json:"completedBy,omitzero"`
	Count          int          `json:"count"`
	AtLeast        bool         `json:"atLeast,omitempty"`
	Threshold      int          `json:"threshold"`
	Window         milliseconds `json:"window"`
	References     []EventRef   `json:"references,omitempty"`
	Uncovered      []string     `json:"uncovered,omitempty"`
	Technique      string       `json:"technique,omitempty"`
	Shadow         bool         `json:"shadow,omitempty"`
	Detail         string       `json:"detail,omitempty"`
}

// MarshalJSON encodes the finding under the names of its fields, the window in
// milliseconds and the uncovered fields as a list of their names.
func (f Finding) MarshalJSON() ([]byte, error) { return json.Marshal(f.json()) }

// UnmarshalJSON decodes what MarshalJSON encodes.
func (f *Finding) UnmarshalJSON(text []byte) error {
	var v findingJSON
	if err := json.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("monitor: decode finding: %w", err)
	}
	uncovered, err := fieldsNamed(v.Uncovered)
	if err != nil {
		return fmt.Errorf("monitor: decode finding: %w", err)
	}
	*f = Finding{
		Rule:           v.Rule,
		Severity:       v.Severity,
		OrganizationID: v.OrganizationID,
		Key:            v.Key,
		KeyField:       v.KeyField,
		Event:          v.Event,
		CompletedBy:    v.CompletedBy,
		Count:          v.Count,
		AtLeast:        v.AtLeast,
		Threshold:      v.Threshold,
		Window:         time.Duration(v.Window),
		References:     v.References,
		Uncovered:      uncovered,
		Technique:      v.Technique,
		Shadow:         v.Shadow,
		Detail:         v.Detail,
	}
	return nil
}

func (f *Finding) json() findingJSON {
	return findingJSON{
		Rule:           f.Rule,
		Severity:       f.Severity,
		OrganizationID: f.OrganizationID,
		Key:            f.Key,
		KeyField:       f.KeyField,
		Event:          f.Event,
		CompletedBy:    f.CompletedBy,
		Count:          f.Count,
		AtLeast:        f.AtLeast,
		Threshold:      f.Threshold,
		Window:         milliseconds(f.Window),
		References:     f.References,
		Uncovered:      f.Uncovered.names(),
		Technique:      f.Technique,
		Shadow:         f.Shadow,
		Detail:         f.Detail,
	}
}

func (f Fields) names() []string {
	if f == 0 {
		return nil
	}
	return strings.Split(f.String(), ",")
}

func fieldsNamed(names []string) (f Fields, err error) {
	for _, name := range names {
		i := slices.Index(fieldNames[:], name)
		if i < 0 {
			return 0, fmt.Errorf("no event field is named %.40q", name)
		}
		f |= 1 << i
	}
	return f, nil
}

// eventRefJSON is the JSON form of a reference to an event.
type eventRefJSON struct {
	ID        string    `json:"id,omitempty"`
	Timestamp time.Time `json:"timestamp,omitzero"`
	Sequence  uint64    `json:"sequence,omitempty"`
}

// MarshalJSON encodes the fields that are not zero: id, timestamp in UTC,
// sequence.
func (r EventRef) MarshalJSON() ([]byte, error) {
	r.Timestamp = r.Timestamp.UTC()
	return json.Marshal(eventRefJSON(r))
}

// UnmarshalJSON decodes what MarshalJSON encodes.
func (r *EventRef) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, (*eventRefJSON)(r))
}

// milliseconds is a duration that is a number of milliseconds in JSON, with a
// fraction where it has one.
type milliseconds time.Duration

func (m milliseconds) MarshalJSON() ([]byte, error) {
	d := time.Duration(m)
	return json.Marshal(float64(d/time.Millisecond) + float64(d%time.Millisecond)/1e6)
}

func (m *milliseconds) UnmarshalJSON(text []byte) error {
	var ms float64
	if err := json.Unmarshal(text, &ms); err != nil {
		return err
	}
	if math.Abs(ms) > math.MaxInt64/1e6-1 {
		return fmt.Errorf("%v milliseconds are too long", ms)
	}
	whole, fraction := math.Modf(ms)
	*m = milliseconds(time.Duration(whole)*time.Millisecond + time.Duration(math.Round(fraction*1e6)))
	return nil
}
