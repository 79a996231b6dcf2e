package crypto

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/auditwarden/auditwarden/internal/jsonquote"
	"github.com/auditwarden/auditwarden/monitor"
)

// CoveredV1 is the set of fields in canonical form v1, which a signature protects.
const CoveredV1 = monitor.FieldAction | monitor.FieldOrganizationID | monitor.FieldOutcomeDescription |
	monitor.FieldPrincipalID | monitor.FieldStatus | monitor.FieldTargetResourceID |
	monitor.FieldTargetResourceType | monitor.FieldTimestamp

// AppendCanonical appends canonical form v1 of the event, which is the text that
// is hashed. It consists of the covered fields in the order of their names, each
// as name, colon and value, separated by vertical bars. A value is a JSON string
// as JavaScript's JSON.stringify writes it, or null for an optional field that is
// empty. The timestamp is [monitor.Event.TimestampText]. An empty action is an
// empty string, although [monitor.Event.Validate] refuses it.
//
// AppendCanonical does not allocate if dst has room. The only error is
// [ErrNotCanonical]; in this case AppendCanonical returns dst unchanged.
func AppendCanonical(dst []byte, e *monitor.Event) ([]byte, error) {
	fields := [...]struct {
		name, value string
		empty       string // how an empty value is written, if it may be empty
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
		default:
			var valid bool
			if out, valid = jsonquote.AppendValid(out, f.value); !valid {
				return dst, notCanonical(f.name, "not UTF-8")
			}
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

// Hash returns the event's hash: the SHA-256 of canonical form v1, in 64
// lower-case hex digits. The only error is [ErrNotCanonical].
func Hash(e *monitor.Event) (string, error) {
	var s scratch
	digest, err := s.hash(e)
	if err != nil {
		return "", fmt.Errorf("crypto: hash event: %w", err)
	}
	return string(s.message(digest)), nil
}

// scratch is the memory that it takes to hash an event.
type scratch struct {
	canonical []byte
	text      [2 * sha256.Size]byte
}

func (s *scratch) hash(e *monitor.Event) (digest [sha256.Size]byte, err error) {
	s.canonical, err = AppendCanonical(s.canonical[:0], e)
	if err != nil {
		return digest, err
	}
	return sha256.Sum256(s.canonical), nil
}

// message returns what is signed for a digest. It is valid until the next call.
func (s *scratch) message(digest [sha256.Size]byte) []byte {
	hex.Encode(s.text[:], digest[:])
	return s.text[:]
}
