package monitor

import (
	"fmt"
	"maps"
)

// cleanedFields is the member of [Event.Details] that says what was cleaned, and why.
const cleanedFields = "cleanedFields"

// cleaned returns a copy of the event in which these fields are valid, and their names.
// The event itself stays as it is.
func (e *Event) cleaned(faulty Fields) (clean *Event, names []string) {
	c := *e
	m := mending{event: &c, why: map[string]any{}}
	names = m.mend(faulty)
	m.mark()
	return &c, names
}

// A mending makes an event valid. It changes no map of the event but replaces them.
type mending struct {
	event *Event
	why   map[string]any // by the names of fields
}

// mend makes fields valid, and returns the names of those that were not.
func (m *mending) mend(faulty Fields) (names []string) {
	e := m.event
	texts := e.freeTexts()
	for i := range texts {
		f := &texts[i]
		err := checkText(*f.text, MaxFieldSize)
		if err == nil || !faulty.Has(f.field) {
			continue
		}
		names, m.why[f.name] = append(names, f.name), err.Error()
		if f.field == FieldID {
			*f.text = clipID(*f.text, *f.text)
		} else {
			*f.text = clip(*f.text, MaxFieldSize)
		}
	}
	if e.RecordCount < 0 && faulty.Has(FieldRecordCount) {
		names, m.why["recordCount"] = append(names, "recordCount"), fmt.Sprintf("%d is negative", e.RecordCount)
		e.RecordCount = 0
	}
	return names
}

// mark notes in the details what was mended, beside what was noted before.
func (m *mending) mark() {
	if len(m.why) == 0 {
		return
	}
	details := maps.Clone(m.event.Details)
	if details == nil {
		details = map[string]any{}
	}
	if before, ok := details[cleanedFields].(map[string]any); ok {
		all := maps.Clone(before)
		maps.Copy(all, m.why)
		m.why = all
	}
	details[cleanedFields] = m.why
	m.event.Details = details
}
