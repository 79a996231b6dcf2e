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

// Classification is the sensitivity of the data that an event is about. Any text
// is valid; the library does not interpret it.
type Classification string

// The usual classifications. PHI is protected health information.
const (
	ClassificationPublic       Classification = "PUBLIC"
	ClassificationInternal     Classification = "INTERNAL"
	ClassificationConfidential Classification = "CONFIDENTIAL"
	ClassificationPHI          Classification = "PHI"
)

// Session describes the session and the client that caused an event. In JSON the
// fields are sessionId, ipAddress, userAgent and geolocation.
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
// In JSON, the names of the fields are id, timestamp, action, status, principalId,
// organizationId, targetResourceType, targetResourceId, outcomeDescription,
// sessionContext (for Session), correlationId, eventVersion, retentionPolicy,
// dataClassification, recordCount, hash, hashAlgorithm, signature, algorithm (for
// SignatureAlgorithm) and keyId. Decoding an event keeps the text of its
// timestamp, because the hash covers that text.
//
// The monitor never changes an event. The caller must not change an event while a
// call that it was passed to is running. An event that was passed to
// [Monitor.Submit] belongs to the monitor.
type Event struct {
	// ID identifies the event within its organization. It is optional, but duplicates
	// are only recognized by it or by a [Delivery.ID].
	ID string
	// Timestamp is when the action took place. Detection uses this time.
	Timestamp time.Time
	// Action is what was done, such as "auth.login.failure" or "data.read".
	Action string
	// Status is the outcome of the action.
	Status EventStatus
	// PrincipalID identifies who performed the action.
	PrincipalID string
	// OrganizationID is the tenant that the event belongs to.
	OrganizationID     string
	TargetResourceType string
	TargetResourceID   string
	OutcomeDescription string
	// Session is sessionContext in JSON.
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
	// HashAlgorithm is the name of the hash algorithm: "SHA-256" or empty.
	HashAlgorithm string
	// Signature is the signature of the 64 hex characters of the hash. It is written
	// in hex for HMAC and in standard base64 for public-key algorithms.
	Signature string
	// SignatureAlgorithm is the name of the signature algorithm, "algorithm" in JSON.
	SignatureAlgorithm string
	// KeyID is the ID of the key that made the signature. It is optional.
	KeyID string

	// Details holds every JSON field that has no Go field above. Numbers are kept as
	// [encoding/json.Number], so that encoding the event again gives the same values.
	Details map[string]any

	// The timestamp as it was received, and what it was read as. The text
	// stands for as long as Timestamp is that time.
	timestampText string
	timestampRead time.Time

	// The size of the JSON text that the event was decoded from and that its
	// strings share, if that is more than placeSize.
	textSize int
}

// AppendTimestamp appends the text of the event's timestamp that the hash covers.
// That is the text that was received. If there is none, or if Timestamp was
// changed since, it is the time in UTC with milliseconds. AppendTimestamp does not
// allocate when dst has room.
func (e *Event) AppendTimestamp(dst []byte) []byte {
	if e.timestampText != "" && e.Timestamp.Equal(e.timestampRead) {
		return append(dst, e.timestampText...)
	}
	return appendCanonicalTime(dst, e.Timestamp)
}

// TimestampText returns the text that [Event.AppendTimestamp] appends. A database
// that stores timestamps with a different precision should also store this text,
// so that [Event.SetTimestampText] can restore it.
func (e *Event) TimestampText() string {
	if e.timestampText != "" && e.Timestamp.Equal(e.timestampRead) {
		return e.timestampText
	}
	return canonicalTime(e.Timestamp)
}

// SetTimestampText sets the event's timestamp from its text and keeps the text for
// hashing. It accepts RFC 3339 and the form in which PostgreSQL prints a
// timestamptz. It returns an [*InvalidEventError] for any other text and for a
// time before 1678 or after 2261.
func (e *Event) SetTimestampText(text string) error {
	t, err := parseTimestamp(text)
	if err != nil {
		return err
	}
	e.Timestamp, e.timestampText, e.timestampRead = t, text, t
	return nil
}

// texts returns the text fields of the event, but for its ID, its organization and
// its timestamp.
func (e *Event) texts() [19]string {
	return [...]string{
		e.Action, string(e.Status), e.PrincipalID, e.TargetResourceType, e.TargetResourceID, e.OutcomeDescription,
		e.Session.ID, e.Session.IPAddress, e.Session.UserAgent, e.Session.Geolocation,
		e.CorrelationID, e.EventVersion, e.RetentionPolicy, string(e.DataClassification),
		e.Hash, e.HashAlgorithm, e.Signature, e.SignatureAlgorithm, e.KeyID,
	}
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
