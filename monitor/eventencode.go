package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/internal/jsonquote"
	"github.com/auditwarden/auditwarden/internal/jsonscan"
)

// MarshalJSON encodes the event as [Event.AppendJSON] does.
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil) }

// AppendJSON appends the event's JSON text: the timestamp as it was received, the
// fields that are not empty, then Details sorted by name. [DecodeEvent] decodes
// the text to an equal event.
//
// If DecodeEvent could not decode the text, AppendJSON returns dst unchanged and an
// [*InvalidEventError]. This happens if the event is none that [Monitor.Process]
// accepts (except for an empty action), if a text is not UTF-8, if a name in Details
// is the JSON name of a field, if JSON cannot express a value in Details (NaN, a
// channel, too much nesting), or if the text exceeds [MaxEventSize].
func (e *Event) AppendJSON(dst []byte) ([]byte, error) {
	if _, err := e.checkContent(signable | FieldRecordCount); err != nil {
		return dst, err
	}
	w := eventEncoder{buf: append(dst, '{')}
	w.text("id", e.ID)
	w.name("timestamp")
	w.buf = append(w.buf, '"')
	w.buf = e.AppendTimestamp(w.buf)
	w.buf = append(w.buf, '"')
	w.name("action")
	w.buf = jsonquote.Append(w.buf, e.Action)
	w.text("status", string(e.Status))
	w.text("principalId", e.PrincipalID)
	w.text("organizationId", e.OrganizationID)
	w.text("targetResourceType", e.TargetResourceType)
	w.text("targetResourceId", e.TargetResourceID)
	w.text("outcomeDescription", e.OutcomeDescription)
	if s := &e.Session; s.ID != "" || s.IPAddress != "" || s.UserAgent != "" || s.Geolocation != "" || len(s.Details) > 0 {
		w.name("sessionContext")
		w.buf = append(w.buf, '{')
		w.prefix = "sessionContext."
		w.text("sessionId", s.ID)
		w.text("ipAddress", s.IPAddress)
		w.text("userAgent", s.UserAgent)
		w.text("geolocation", s.Geolocation)
		w.details(2, s.Details, func(name string) bool { return s.textField(name) != nil })
		w.buf = append(w.buf, '}')
		w.prefix = ""
	}
	w.text("correlationId", e.CorrelationID)
	w.text("eventVersion", e.EventVersion)
	w.text("retentionPolicy", e.RetentionPolicy)
	w.text("dataClassification", string(e.DataClassification))
	if e.RecordCount != 0 {
		w.name("recordCount")
		w.buf = strconv.AppendInt(w.buf, e.RecordCount, 10)
	}
	w.text("hash", e.Hash)
	w.text("hashAlgorithm", e.HashAlgorithm)
	w.text("signature", e.Signature)
	w.text("algorithm", e.SignatureAlgorithm)
	w.text("keyId", e.KeyID)
	w.details(1, e.Details, e.hasField)
	w.buf = append(w.buf, '}')
	if w.err != nil {
		return dst, w.err
	}
	if size := len(w.buf) - len(dst); size > MaxEventSize {
		return dst, invalid("", "%d bytes are more than %d: %w", size, MaxEventSize, ErrTooLarge)
	}
	return w.buf, nil
}

// hasField reports whether a name in JSON is that of a field of Event.
func (e *Event) hasField(name string) bool {
	return name == "timestamp" || name == "sessionContext" || name == "recordCount" || e.textField(name) != nil
}

// eventEncoder appends to buf and keeps the first error.
type eventEncoder struct {
	buf    []byte
	prefix string // of names in errors
	err    error
}

// fail keeps the first error.
func (w *eventEncoder) fail(name string, err error) {
	if w.err == nil {
		w.err = &InvalidEventError{Field: w.prefix + name, Err: err}
	}
}

// name appends the name of the field that comes next.
func (w *eventEncoder) name(name string) {
	if w.buf[len(w.buf)-1] != '{' {
		w.buf = append(w.buf, ',')
	}
	w.buf = jsonquote.Append(w.buf, name)
	w.buf = append(w.buf, ':')
}

// text appends a field that holds text, unless that is empty.
func (w *eventEncoder) text(name, text string) {
	if text == "" {
		return
	}
	w.name(name)
	var valid bool
	if w.buf, valid = jsonquote.AppendValid(w.buf, text); !valid {
		w.fail(name, errNotUTF8)
	}
}

// details appends the fields that have no place in [Event].
func (w *eventEncoder) details(depth int, details map[string]any, taken func(name string) bool) {
	if w.err != nil || len(details) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(details)) {
		var err error
		switch {
		case taken(name):
			err = errors.New("the name is reserved for a field of Event")
		case !utf8.ValidString(name):
			err = errNotUTF8
		default:
			w.name(name)
			w.buf, err = appendValue(w.buf, depth, details[name])
		}
		if err != nil {
			w.fail(name, err)
			return
		}
	}
}

// appendValue appends a value that [jsonscan.Scanner.Value] has read, or any other
// as encoding/json sees it.
func appendValue(buf []byte, depth int, v any) (_ []byte, err error) {
	switch v := v.(type) {
	case nil:
		return append(buf, "null"...), nil
	case bool:
		return strconv.AppendBool(buf, v), nil
	case string:
		buf, valid := jsonquote.AppendValid(buf, v)
		if !valid {
			return buf, errNotUTF8
		}
		return buf, nil
	case json.Number:
		s := jsonscan.New(string(v))
		if text, err := s.Number(); err != nil || len(text) < len(v) {
			return buf, fmt.Errorf("%.40q is not a number", string(v))
		}
		return append(buf, v...), nil
	case []any:
		if depth++; depth > jsonscan.MaxDepth {
			return buf, jsonscan.ErrTooDeep
		}
		buf = append(buf, '[')
		for i, x := range v {
			if i > 0 {
				buf = append(buf, ',')
			}
			if buf, err = appendValue(buf, depth, x); err != nil {
				return buf, err
			}
		}
		return append(buf, ']'), nil
	case map[string]any:
		if depth++; depth > jsonscan.MaxDepth {
			return buf, jsonscan.ErrTooDeep
		}
		buf = append(buf, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				buf = append(buf, ',')
			}
			if buf, err = appendValue(buf, depth, name); err != nil {
				return buf, err
			}
			buf = append(buf, ':')
			if buf, err = appendValue(buf, depth, v[name]); err != nil {
				return buf, err
			}
		}
		return append(buf, '}'), nil
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return buf, err
		}
		s := jsonscan.New(string(text))
		plain, err := s.Value(depth)
		if err != nil {
			return buf, err
		}
		return appendValue(buf, depth, plain)
	}
}
