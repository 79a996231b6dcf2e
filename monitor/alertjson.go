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

// The types below have the fields, and so the JSON members, of those that they
// are named after, and none of their methods.
type (
	plainAlert    Alert
	plainFinding  Finding
	plainEventRef EventRef
)

// MarshalJSON encodes the alert. Times are in UTC (RFC 3339). The added fields
// acknowledged and resolved are true if acknowledgedAt and resolvedAt are set.
func (a Alert) MarshalJSON() ([]byte, error) {
	for _, t := range []*time.Time{&a.FirstSeen, &a.LastSeen, &a.CreatedAt, &a.UpdatedAt, &a.AcknowledgedAt, &a.ResolvedAt} {
		*t = t.UTC()
	}
	return json.Marshal(struct {
		plainAlert

		Acknowledged bool `json:"acknowledged"`
		Resolved     bool `json:"resolved"`
	}{plainAlert(a), !a.AcknowledgedAt.IsZero(), !a.ResolvedAt.IsZero()})
}

// UnmarshalJSON decodes what MarshalJSON encodes and overwrites all of a. It
// decodes the numbers in Metadata as [encoding/json.Number], and ignores the
// fields acknowledged and resolved.
func (a *Alert) UnmarshalJSON(text []byte) error {
	var plain plainAlert
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&plain); err != nil {
		return fmt.Errorf("monitor: decode alert: %w", err)
	}
	*a = Alert(plain)
	return nil
}

// findingJSON is a finding with the members that JSON has in another form.
type findingJSON struct {
	*plainFinding

	Window    milliseconds `json:"window"`
	Uncovered []string     `json:"uncovered,omitempty"`
}

// MarshalJSON encodes the finding, with the window in milliseconds and the
// uncovered fields as a list of their JSON names.
func (f Finding) MarshalJSON() ([]byte, error) {
	return json.Marshal(findingJSON{(*plainFinding)(&f), milliseconds(f.Window), f.Uncovered.names()})
}

// UnmarshalJSON decodes what MarshalJSON encodes and overwrites all of f.
func (f *Finding) UnmarshalJSON(text []byte) error {
	var plain plainFinding
	v := findingJSON{plainFinding: &plain}
	err := json.Unmarshal(text, &v)
	if err == nil {
		plain.Window = time.Duration(v.Window)
		plain.Uncovered, err = fieldsNamed(v.Uncovered)
	}
	if err != nil {
		return fmt.Errorf("monitor: decode finding: %w", err)
	}
	*f = Finding(plain)
	return nil
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

// MarshalJSON encodes the reference, with the timestamp in UTC.
func (r EventRef) MarshalJSON() ([]byte, error) {
	r.Timestamp = r.Timestamp.UTC()
	return json.Marshal(plainEventRef(r))
}

// UnmarshalJSON decodes what MarshalJSON encodes.
func (r *EventRef) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, (*plainEventRef)(r))
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
