package crypto

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/monitor"
)

// CoveredV1 are the fields in canonical form v1: those that a signature over it
// vouches for.
const CoveredV1 = monitor.FieldAction | monitor.FieldOrganizationID | monitor.FieldOutcomeDescription |
	monitor.FieldPrincipalID | monitor.FieldStatus | monitor.FieldTargetResourceID |
	monitor.FieldTargetResourceType | monitor.FieldTimestamp

// AppendCanonical appends canonical form v1 of the event, the text that the
// reference hashes: the covered fields in the order of their names, as name,
// colon and value, separated by vertical bars. A value is a JSON string as
// JSON.stringify writes it, or null for an optional field that is empty. The
// timestamp is the text that was received. An empty action is a string like any
// other here, though [monitor.Event.Validate] refuses it.
//
// It does not allocate when dst has room. With an error, which is always an
// [ErrNotCanonical], it returns dst as it was.
func AppendCanonical(dst []byte, e *monitor.Event) ([]byte, error) {
	fields := [...]struct {
		name, value string
		empty       string // what an empty value is written as, if it may be empty
	}{
		{"action", e.Action, `""`},
		{"organizationId", e.OrganizationID, "null"},
		{"outcomeDescription", e.OutcomeDescription, "null"},
		{"principalId", e.PrincipalID, "null"},
		{"status", string(e.Status), ""},
		{"targetResourceId", e.TargetResourceID, "null"},
		{"targetResourceType", e.TargetResourceType, "null"},
	}
	out := dst
	for i := range fields {
		f := &fields[i]
		out = append(out, f.name...)
		out = append(out, ':')
		switch {
		case f.value == "" && f.empty == "":
			return dst, notCanonical(f.name, "missing")
		case f.value == "":
			out = append(out, f.empty...)
		case plain(f.value):
			out = append(out, '"')
			out = append(out, f.value...)
			out = append(out, '"')
		case utf8.ValidString(f.value):
			out = appendQuoted(out, f.value)
		default:
			return dst, notCanonical(f.name, "not UTF-8")
		}
		out = append(out, '|')
	}
	if e.Timestamp.IsZero() {
		return dst, notCanonical("timestamp", "missing")
	}
	out = append(out, `timestamp:"`...)
	out = e.AppendTimestamp(out)
	return append(out, '"'), nil
}

func notCanonical(field, reason string) error {
	return &monitor.InvalidEventError{Field: field, Err: fmt.Errorf("%w: %s", ErrNotCanonical, reason)}
}

// plain reports whether s is printable ASCII that needs no escape, as most text
// is, looking at eight bytes at a time.
func plain(s string) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		// A subtraction reaches the high bit of a byte that is too small, and
		// of those above it.
		if (w|(w-each*' ')|(w^each*'"'-each)|(w^each*'\\'-each))&high != 0 {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendQuoted appends the UTF-8 string s as QuoteJSONString of ECMAScript does:
// only quote, backslash and what is below U+0020 is escaped.
func appendQuoted(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// Hash returns the event's hash: SHA-256 over canonical form v1, as 64 lower-case
// hex digits. Its only error is [ErrNotCanonical].
func Hash(e *monitor.Event) (string, error) {
	canonical, err := AppendCanonical(nil, e)
	if err != nil {
		return "", fmt.Errorf("crypto: hash event: %w", err)
	}
	digest := sha256.Sum256(canonical)
	return hex.EncodeToString(digest[:]), nil
}
