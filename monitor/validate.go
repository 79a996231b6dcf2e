package monitor

import "unicode/utf8"

// Validate returns an [*InvalidEventError] if the event is invalid: if the
// timestamp, action or status is missing, if the timestamp is before 1678 or after
// 2261, if the status is unknown, if the organization does not pass
// [CheckOrganization], if another text is not UTF-8 or exceeds [MaxFieldSize]
// ([ErrTooLarge]), or if the record count is negative. An event may name no
// organization. Validate does not check Details and does not allocate.
// [Monitor.Process] calls it.
//
// Validate refuses an empty action, because such an event does not say what was
// done. [DecodeEvent] accepts it, because some emitters sign such events.
func (e *Event) Validate() error {
	if e == nil {
		return invalid("", "it is nil")
	}
	if e.Action == "" {
		return invalid("action", "missing")
	}
	return e.check()
}

// check is Validate for an event that may have no action: what it passes can be
// written as JSON and read again.
func (e *Event) check() error {
	if err := checkTimestamp(e.Timestamp); err != nil {
		return err
	}
	if err := checkStatus(e.Status); err != nil {
		return err
	}
	if e.RecordCount < 0 {
		return invalid("recordCount", "%d is negative", e.RecordCount)
	}
	if e.OrganizationID != "" {
		if err := CheckOrganization(e.OrganizationID); err != nil {
			return &InvalidEventError{Field: "organizationId", Err: err}
		}
	}
	for _, f := range [...]struct{ name, text string }{
		{"id", e.ID},
		{"action", e.Action},
		{"principalId", e.PrincipalID},
		{"targetResourceType", e.TargetResourceType},
		{"targetResourceId", e.TargetResourceID},
		{"outcomeDescription", e.OutcomeDescription},
		{"sessionContext.sessionId", e.Session.ID},
		{"sessionContext.ipAddress", e.Session.IPAddress},
		{"sessionContext.userAgent", e.Session.UserAgent},
		{"sessionContext.geolocation", e.Session.Geolocation},
		{"correlationId", e.CorrelationID},
		{"eventVersion", e.EventVersion},
		{"retentionPolicy", e.RetentionPolicy},
		{"dataClassification", string(e.DataClassification)},
		{"hash", e.Hash},
		{"hashAlgorithm", e.HashAlgorithm},
		{"signature", e.Signature},
		{"algorithm", e.SignatureAlgorithm},
		{"keyId", e.KeyID},
	} {
		if len(f.text) <= MaxFieldSize && isASCII(f.text) {
			continue
		}
		if err := checkText(f.text, MaxFieldSize); err != nil {
			return &InvalidEventError{Field: f.name, Err: err}
		}
	}
	return nil
}

func checkStatus(s EventStatus) error {
	switch s {
	case StatusAttempt, StatusSuccess, StatusFailure:
		return nil
	case "":
		return invalid("status", "missing")
	default:
		return invalid("status", "%.40q is not attempt, success or failure", s)
	}
}

// isASCII spares most text the slower [utf8.ValidString]. It looks at eight
// bytes at once, the last eight overlapping those before.
func isASCII(s string) bool {
	const high = 0x8080808080808080
	if len(s) < 8 {
		var bits byte
		for i := range len(s) {
			bits |= s[i]
		}
		return bits < utf8.RuneSelf
	}
	bits := word(s[len(s)-8:])
	for ; len(s) > 8; s = s[8:] {
		bits |= word(s)
	}
	return bits&high == 0
}

// word returns the first eight bytes of s, which the compiler loads as one.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
