package notify

import (
	"fmt"
	"io"
)

// hidden stands in the place of a secret.
const hidden = "[REDACTED]"

// A Secret is a text that does not show itself: wherever it is printed, encoded
// or logged, there is [REDACTED] in its place, and nothing if it is empty. The
// zero value is the empty secret.
type Secret struct {
	// A pointer, since package fmt prints the fields of a struct that are not
	// exported without asking them how.
	text *string
}

// NewSecret returns a secret with that text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text. It must not get into an error or a log.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// String returns [REDACTED], or nothing for the empty secret.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return hidden
}

// Format prints the same for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns the same as String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
