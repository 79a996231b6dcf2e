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

// Clean makes the event valid, so that it passes [Event.Validate], can be signed and can
// be written as JSON. It is for whoever makes events of text that others choose, such as
// a user name or a user agent: call it before signing.
//
// What is not UTF-8 becomes U+FFFD, and what is too long is clipped and ends in an
// ellipsis, so that the event does not exceed [MaxEventSize]. An ID ends in a digest
// then, so that it still tells events apart. A negative record count becomes 0. Names in
// Details that belong to fields get an underscore, and values that JSON cannot express
// become text. The member "cleanedFields" of Details says what was cleaned, and why. An
// event that is valid stays as it is. Clean changes no map of the event but replaces it.
//
// Clean returns an [*InvalidEventError], and leaves the event as it is, if its timestamp,
// action or status is missing or invalid, or its organization is: nobody else can know
// what was meant.
func (e *Event) Clean() error {
	faulty, err := e.check(0)
	if err != nil {
		return err
	}
	_, err = e.AppendJSON(nil)
	if faulty == 0 && err == nil {
		return nil
	}
	c := *e
	m := mending{event: &c, why: map[string]any{}}
	m.mend(faulty)
	if _, err := c.AppendJSON(nil); err != nil {
		m.why["details"] = clip(err.Error(), 200)
		m.mendDetails()
	}
	m.mark()
	*e = c
	return nil
}

// mendDetails makes the details something that JSON can express, within the room that
// the rest of the event leaves.
func (m *mending) mendDetails() {
	const marks = 16 << 10 // for what mark notes
	e := m.event
	details, session := e.Details, e.Session.Details
	e.Details, e.Session.Details = nil, nil
	text, _ := e.AppendJSON(nil) // without details nothing is wrong with it
	f := fitting{room: MaxEventSize - len(text) - marks}
	e.Session.Details = f.object(2, session, func(name string) bool { return e.Session.textField(name) != nil })
	e.Details = f.object(1, details, e.hasField)
}
