package monitor

import "unicode/utf8"

// Validate returns an [*InvalidEventError] if the event is invalid: if the
// timestamp, action or status is missing, if the timestamp is before 1678 or after
// 2261, if the status is unknown, if the organization does not pass
// [CheckOrganization], if another text is not UTF-8 or exceeds [MaxFieldSize]
// ([ErrTooLarge]), or if the record count is negative. An event may name no
// organization. Validate does not check Details and does not allocate.
//
// Validate is for whoever makes events; [Event.Clean] makes an event valid.
// [Monitor.Process] refuses an invalid event only for a field that a signature can
// cover or that says what happened. It clips the other texts on arrival.
//
// Validate refuses an empty action, because such an event does not say what was
// done. [DecodeEvent] accepts it, because some emitters sign such events.
func (e *Event) Validate() error {
	_, err := e.check(^Fields(0))
	return err
}

// check is Validate for some of the fields. It returns those of the others whose
// content is not valid.
func (e *Event) check(strict Fields) (faulty Fields, err error) {
	if e == nil {
		return 0, invalid("", "it is nil")
	}
	if e.Action == "" {
		return 0, invalid("action", "missing")
	}
	return e.checkContent(strict)
}

// checkContent is check for an event that may have no action: what it passes can be
// written as JSON and read again.
func (e *Event) checkContent(strict Fields) (faulty Fields, err error) {
	if err := checkTimestamp(e.Timestamp); err != nil {
		return 0, err
	}
	if err := checkStatus(e.Status); err != nil {
		return 0, err
	}
	if e.RecordCount < 0 {
		if strict.Has(FieldRecordCount) {
			return 0, invalid("recordCount", "%d is negative", e.RecordCount)
		}
		faulty |= FieldRecordCount
	}
	if e.OrganizationID != "" {
		if err := CheckOrganization(e.OrganizationID); err != nil {
			return 0, &InvalidEventError{Field: "organizationId", Err: err}
		}
	}
	texts := e.freeTexts()
	for i := range texts {
		f := &texts[i]
		if len(*f.text) <= MaxFieldSize && isASCII(*f.text) {
			continue
		}
		if err := checkText(*f.text, MaxFieldSize); err != nil {
			if strict.Has(f.field) {
				return 0, &InvalidEventError{Field: f.name, Err: err}
			}
			faulty |= f.field
		}
	}
	return faulty, nil
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
