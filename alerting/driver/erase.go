package driver

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// erased is what a name is replaced by.
const erased = "[erased]"

// EraseName replaces a name in the texts of an alert and of its history, and reports
// whether it was there. It leaves the names of organization, rule, type and source, and
// the version. The alert and the history are unchanged after an error.
func EraseName(a *monitor.Alert, history []alerting.Change, name string) (found bool, err error) {
	e := eraser{name: name}
	finding, err := e.finding(a.Finding)
	if err != nil {
		return false, fmt.Errorf("erase a name in alert %s: %w", a.ID, err)
	}
	a.Finding = finding
	if metadata, ok := e.value(a.Metadata).(map[string]any); ok && a.Metadata != nil {
		a.Metadata = metadata
	}
	for i, tag := range a.Tags {
		a.Tags[i] = e.text(tag)
	}
	for _, text := range []*string{
		&a.Title, &a.Description, &a.CorrelationID, &a.AcknowledgedBy, &a.ResolvedBy, &a.ResolutionNotes,
	} {
		*text = e.text(*text)
	}
	for i := range history {
		history[i].By, history[i].Note = e.text(history[i].By), e.text(history[i].Note)
	}
	return e.found, nil
}

// NamesIn reports whether evidence has a name in one of its texts, as [EraseName] would
// replace it.
func NamesIn(evidence, name string) bool {
	var event any
	if err := json.Unmarshal([]byte(evidence), &event); err != nil {
		return strings.Contains(evidence, name)
	}
	e := eraser{name: name}
	e.value(event)
	return e.found
}

// An eraser replaces a name, and notes whether it was found.
type eraser struct {
	name  string
	found bool
}

// text replaces the name where it is no part of a longer word.
func (e *eraser) text(s string) string {
	var b strings.Builder
	for from := 0; ; {
		at := strings.Index(s[from:], e.name)
		if at < 0 {
			if b.Len() == 0 {
				return s
			}
			b.WriteString(s[from:])
			return b.String()
		}
		at += from
		end := at + len(e.name)
		before, _ := utf8.DecodeLastRuneInString(s[:at])
		after, _ := utf8.DecodeRuneInString(s[end:])
		b.WriteString(s[from:at])
		if inWord(before) || inWord(after) {
			b.WriteString(e.name)
		} else {
			b.WriteString(erased)
			e.found = true
		}
		from = end
	}
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// value replaces the name in the strings of a JSON value. It copies what has elements.
func (e *eraser) value(v any) any {
	switch v := v.(type) {
	case string:
		return e.text(v)
	case []string:
		texts := make([]string, len(v))
		for i, text := range v {
			texts[i] = e.text(text)
		}
		return texts
	case []any:
		values := make([]any, len(v))
		for i, element := range v {
			values[i] = e.value(element)
		}
		return values
	case map[string]any:
		values := make(map[string]any, len(v))
		for name, member := range v {
			values[name] = e.value(member)
		}
		return values
	}
	return v
}

// finding replaces the name in a finding, in every text that comes from events. It goes
// by the JSON form, so that it misses no field.
func (e *eraser) finding(f monitor.Finding) (monitor.Finding, error) {
	text, err := json.Marshal(f)
	if err != nil {
		return f, err
	}
	var members map[string]any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber() // keeps all digits
	if err := d.Decode(&members); err != nil {
		return f, err
	}
	for name, member := range members {
		switch name {
		case "rule", "organizationId", "keyField", "technique":
		default:
			members[name] = e.value(member)
		}
	}
	if !e.found {
		return f, nil
	}
	if text, err = json.Marshal(members); err != nil {
		return f, err
	}
	replaced := monitor.Finding{EventKey: f.EventKey} // which JSON does not have
	err = json.Unmarshal(text, &replaced)
	return replaced, err
}
