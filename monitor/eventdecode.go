package monitor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/auditwarden/auditwarden/internal/jsonscan"
)

// UnmarshalJSON decodes an event as [DecodeEvent] does. Null is an error.
func (e *Event) UnmarshalJSON(text []byte) error { return DecodeEvent(text, e) }

// DecodeEvent decodes one JSON object, which may only be followed by white space,
// into e. It is faster than [encoding/json.Unmarshal], which scans the text twice,
// and does not retain line. DecodeEvent overwrites e; after an error e is
// unchanged.
//
// The names of fields are case-sensitive. If a name occurs more than once, the
// last value counts, as in JavaScript. An optional field that is null is treated
// as absent. A field with any other name is stored in Details or Session.Details:
// an object as a map[string]any, an array as an []any, a number as an
// [encoding/json.Number].
//
// The error is an [*InvalidEventError]. The text is invalid if it is not JSON in
// UTF-8, if the name of a field, or a field that a signature can cover, contains half
// of a surrogate pair (which UTF-8 cannot express, so that a hash over it cannot be
// checked), if the timestamp, action or status is missing or invalid, if a value has
// the wrong type, or if objects and arrays are nested more than 64 deep. The error
// wraps [ErrTooLarge] for a text over [MaxEventSize], or for a field over
// [MaxFieldSize] that a signature can cover.
//
// In the other fields U+FFFD replaces what is not UTF-8, and a text may be longer: the
// monitor clips it on arrival.
//
// The strings of the event, except its ID, share one copy of the text. Clone a
// string that you keep for longer than the event.
func DecodeEvent(line []byte, e *Event) error {
	if len(line) > MaxEventSize {
		return invalid("", "%d bytes are more than %d: %w", len(line), MaxEventSize, ErrTooLarge)
	}
	d := eventDecoder{Scanner: jsonscan.New(string(line))}
	if err := d.decode(); err != nil {
		return &InvalidEventError{Field: d.path(), Err: err}
	}
	if !d.hasAction {
		return invalid("action", "missing")
	}
	if err := checkStatus(d.event.Status); err != nil {
		return err
	}
	if d.timestamp == "" {
		return invalid("timestamp", "missing")
	}
	if err := d.event.SetTimestampText(d.timestamp); err != nil {
		return err
	}
	d.event.ID = strings.Clone(d.event.ID)
	if len(line) > placeSize {
		d.event.textSize = len(line)
	}
	*e = d.event
	return nil
}

// textField returns the place of a field that is a string in JSON, nil for any
// other name.
func (e *Event) textField(name string) *string {
	switch name {
	case "id":
		return &e.ID
	case "action":
		return &e.Action
	case "status":
		return (*string)(&e.Status)
	case "principalId":
		return &e.PrincipalID
	case "organizationId":
		return &e.OrganizationID
	case "targetResourceType":
		return &e.TargetResourceType
	case "targetResourceId":
		return &e.TargetResourceID
	case "outcomeDescription":
		return &e.OutcomeDescription
	case "correlationId":
		return &e.CorrelationID
	case "eventVersion":
		return &e.EventVersion
	case "retentionPolicy":
		return &e.RetentionPolicy
	case "dataClassification":
		return (*string)(&e.DataClassification)
	case "hash":
		return &e.Hash
	case "hashAlgorithm":
		return &e.HashAlgorithm
	case "signature":
		return &e.Signature
	case "algorithm":
		return &e.SignatureAlgorithm
	case "keyId":
		return &e.KeyID
	}
	return nil
}

func (s *Session) textField(name string) *string {
	switch name {
	case "sessionId":
		return &s.ID
	case "ipAddress":
		return &s.IPAddress
	case "userAgent":
		return &s.UserAgent
	case "geolocation":
		return &s.Geolocation
	}
	return nil
}

// eventDecoder decodes one event.
type eventDecoder struct {
	jsonscan.Scanner

	event     Event
	timestamp string // text of the timestamp
	hasAction bool
	// The field being decoded, for errors.
	inSession bool
	field     string
}

// path is the name of the field being decoded, empty between fields. A name may
// come from anybody: it is cut.
func (d *eventDecoder) path() string {
	const limit = 64
	name := d.field
	if len(name) > limit {
		name = strings.ToValidUTF8(name[:limit], "") + "..."
	}
	switch {
	case !d.inSession:
		return name
	case name == "":
		return "sessionContext"
	default:
		return "sessionContext." + name
	}
}

func (d *eventDecoder) decode() error {
	if d.Peek() != '{' {
		return d.Unexpected("an object")
	}
	if err := d.Object(1, d.member); err != nil {
		return err
	}
	d.Peek()
	if d.Rest() != "" {
		return d.Unexpected("nothing behind the event")
	}
	return nil
}

// member decodes a field of the event.
func (d *eventDecoder) member(name string) error {
	d.field = name
	var err error
	switch name {
	case "timestamp":
		err = d.optionalText(&d.timestamp)
	case "id":
		err = d.id()
	case "recordCount":
		err = d.recordCount()
	case "sessionContext":
		err = d.session()
	case "action":
		d.hasAction = d.Peek() == '"'
		err = d.optionalText(&d.event.Action)
	default:
		dst := d.event.textField(name)
		if d.Mend = !canBeSigned(name); dst != nil {
			err = d.optionalText(dst)
		} else {
			d.event.Details, err = d.detail(1, d.event.Details)
		}
		d.Mend = false
	}
	if err == nil {
		d.field = ""
	}
	return err
}

// canBeSigned reports whether a name is that of a text that a signature can cover, whose
// bytes must stay as they are.
func canBeSigned(name string) bool {
	switch name {
	case "principalId", "organizationId", "targetResourceType", "targetResourceId", "outcomeDescription", "status":
		return true
	}
	return false
}

// session decodes the value of sessionContext.
func (d *eventDecoder) session() error {
	d.event.Session = Session{}
	switch d.Peek() {
	case '{':
	case 'n':
		return d.Literal("null")
	default:
		return d.wrongType("an object")
	}
	d.inSession, d.field = true, ""
	if err := d.Object(2, d.sessionMember); err != nil {
		return err
	}
	d.inSession = false
	return nil
}

// sessionMember decodes a field of the session.
func (d *eventDecoder) sessionMember(name string) error {
	d.field = name
	d.Mend = true
	var err error
	if dst := d.event.Session.textField(name); dst != nil {
		err = d.optionalText(dst)
	} else {
		d.event.Session.Details, err = d.detail(2, d.event.Session.Details)
	}
	d.Mend = false
	if err == nil {
		d.field = ""
	}
	return err
}

// id decodes an ID. One that is not UTF-8 still tells events apart.
func (d *eventDecoder) id() error {
	start := d.Scanner
	err := d.optionalText(&d.event.ID)
	if err == nil || start.Peek() != '"' {
		return err
	}
	long := errors.Is(err, ErrTooLarge)
	d.Scanner = start
	d.Mend = true
	err = d.optionalText(&d.event.ID)
	d.Mend = false
	if text := start.Rest(); err == nil && !long {
		d.event.ID = clipID(d.event.ID, text[:len(text)-len(d.Rest())])
	}
	return err
}

// optionalText decodes a string or null.
func (d *eventDecoder) optionalText(dst *string) (err error) {
	switch d.Peek() {
	case '"':
		if *dst, err = d.String(); err == nil && !d.Mend && len(*dst) > MaxFieldSize {
			err = checkSize(*dst, MaxFieldSize)
		}
		return err
	case 'n':
		*dst = ""
		return d.Literal("null")
	default:
		return d.wrongType("a string")
	}
}

// recordCount decodes a count: a whole number, however it is written.
func (d *eventDecoder) recordCount() error {
	switch c := d.Peek(); {
	case c == 'n':
		d.event.RecordCount = 0
		return d.Literal("null")
	case c != '-' && !isDigit(c):
		return d.wrongType("a number")
	}
	digits, err := d.Number()
	if err != nil {
		return err
	}
	d.event.RecordCount, err = wholeNumber(digits)
	return err
}

// detail decodes the value of a field that has no place in [Event] into details,
// which may be nil.
func (d *eventDecoder) detail(depth int, details map[string]any) (map[string]any, error) {
	v, err := d.Value(depth)
	if err != nil {
		return nil, err
	}
	if details == nil {
		details = make(map[string]any)
	}
	details[d.field] = v
	return details, nil
}

// wrongType is the error for a value of another type than the field has.
func (d *eventDecoder) wrongType(want string) error {
	switch c := d.Peek(); {
	case c == '"':
		return fmt.Errorf("a string where %s is expected", want)
	case c == '{':
		return fmt.Errorf("an object where %s is expected", want)
	case c == '[':
		return fmt.Errorf("an array where %s is expected", want)
	case c == 't' || c == 'f':
		return fmt.Errorf("a boolean where %s is expected", want)
	case c == '-' || isDigit(c):
		return fmt.Errorf("a number where %s is expected", want)
	default:
		return d.Unexpected(want)
	}
}
