package notify

import (
	"fmt"
	"io"
)

// hidden replaces a secret.
const hidden = "[REDACTED]"

// A Secret is a text that is not printed, encoded or logged: "[REDACTED]" appears
// in its place, or nothing if it is empty. The zero value is the empty secret.
type Secret struct {
	// A pointer, since package fmt does not call the methods of unexported fields
	// when it prints a struct.
	text *string
}

// NewSecret returns a secret that contains text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the secret text. Keep it out of errors and logs.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// String returns "[REDACTED]", or "" for the empty secret.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return hidden
}

// Format writes the same text as String, for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns the same text as String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
