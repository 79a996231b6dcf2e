package monitor

import (
	"maps"
	"time"
)

// EventStatus is the outcome that an event reports.
type EventStatus string

// The statuses an event can have. An event with any other status is invalid.
const (
	StatusAttempt EventStatus = "attempt"
	StatusSuccess EventStatus = "success"
	StatusFailure EventStatus = "failure"
)

// Classification is the sensitivity of the data that an event touched. It is
// carried, not interpreted: any text is accepted.
type Classification string

// The usual classifications.
const (
	ClassificationPublic       Classification = "PUBLIC"
	ClassificationInternal     Classification = "INTERNAL"
	ClassificationConfidential Classification = "CONFIDENTIAL"
	ClassificationPHI          Classification = "PHI"
)

// Session is where an event came from.
type Session struct {
	ID          string
	IPAddress   string
	UserAgent   string
	Geolocation string
	// Details holds every other field of the session, as [Event.Details] does
	// for the event.
	Details map[string]any
}

// An Event is one record of an audit trail: who did what to which resource,
// from where, and with what outcome.
//
// Its JSON form has the members timestamp, action, status, principalId, organizationId, targetResourceType, targetResourceId,
// outcomeDescription, sessionContext, ... matched in exact case. Decoding an
// event keeps the text of its timestamp, because the hash covers that text.
//
// The monitor reads an event and never changes it. The caller must not change it
// before the call that it was passed to has returned. An event that was passed to
// [Monitor.Submit] belongs to the monitor.
type Event struct {
	// ID identifies the event inside its organization. It is optional. Only an
	// event with an ID, or with a [Delivery.ID], is recognized when it arrives
	// again.
	ID string
	// Timestamp is when the action took place. Detection goes by this time, not
	// by the time of arrival.
	Timestamp time.Time
	// Action is what was done, such as "auth.login.failure" or "data.read".
	Action string
	// Status is the outcome of the action.
	Status EventStatus
	// PrincipalID is who did it.
	PrincipalID string
	// OrganizationID is the tenant whose event this is.
	OrganizationID     string
	TargetResourceType string
	TargetResourceID   string
	OutcomeDescription string
	// Session is the sessionContext of the JSON form.
	Session            Session
	CorrelationID      string
	EventVersion       string
	RetentionPolicy    string
	DataClassification Classification
	// RecordCount is the number of records that the action touched. It is 0 if
	// the event does not say.
	RecordCount int64

	// Hash is the SHA-256 of the event's canonical form, in hex.
	Hash string
	// HashAlgorithm names the hash, "SHA-256" or empty.
	HashAlgorithm string
	// Signature is over the 64 hex characters of the hash: hex for HMAC,
	// standard base64 for public-key algorithms.
	Signature string
	// SignatureAlgorithm is "algorithm" in the JSON form.
	SignatureAlgorithm string
	// KeyID names the key of the signature. It is optional.
	KeyID string

	// Details holds every field of the JSON form that has no field above.
	// Numbers are kept as [encoding/json.Number], so that encoding the event
	// again gives the same values.
	Details map[string]any

	// The timestamp as it was received, and what it was read as. The text
	// stands for as long as Timestamp is that time.
	timestampText string
	timestampRead time.Time
}

// canonicalTime is the format of a time in the canonical form that is hashed: UTC
// with milliseconds.
const canonicalTime = "2006-01-02T15:04:05.000Z"

// AppendTimestamp appends the text of the event's timestamp that is hashed: the
// text that was received, or, for an event made in Go or whose Timestamp was
// changed since, the time in UTC with milliseconds. It does not allocate when
// dst has room.
func (e *Event) AppendTimestamp(dst []byte) []byte {
	if e.timestampText != "" && e.Timestamp.Equal(e.timestampRead) {
		return append(dst, e.timestampText...)
	}
	return e.Timestamp.UTC().AppendFormat(dst, canonicalTime)
}

// TimestampText returns what [Event.AppendTimestamp] appends. A store that keeps
// timestamps with another precision keeps this text beside them and hands it
// back through [Event.SetTimestampText].
func (e *Event) TimestampText() string {
	if e.timestampText != "" && e.Timestamp.Equal(e.timestampRead) {
		return e.timestampText
	}
	return e.Timestamp.UTC().Format(canonicalTime)
}

// SetTimestampText sets the event's timestamp from its text and keeps the text
// for hashing. It accepts RFC 3339 and the form in which PostgreSQL prints a
// timestamptz. A text that is neither, or a time before 1678 or after 2261, is
// an [InvalidEventError].
func (e *Event) SetTimestampText(text string) error {
	t, err := parseTimestamp(text)
	if err != nil {
		return err
	}
	e.Timestamp, e.timestampText, e.timestampRead = t, text, t
	return nil
}

// Clone returns a deep copy of the event.
func (e *Event) Clone() *Event {
	c := *e
	c.Details = cloneObject(e.Details)
	c.Session.Details = cloneObject(e.Session.Details)
	return &c
}

func cloneObject(m map[string]any) map[string]any {
	c := maps.Clone(m)
	for k, v := range c {
		c[k] = cloneValue(v)
	}
	return c
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cloneObject(v)
	case []any:
		c := make([]any, len(v))
		for i, x := range v {
			c[i] = cloneValue(x)
		}
		return c
	}
	return v
}
