package notify

import (
	"errors"
	"fmt"
	"io"
	"strings"
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

// CheckToken returns an error unless the secret consists of visible ASCII
// characters, as a token or a key must that is sent in a header. It does not quote
// the secret. The constructor of a destination should call it.
func (s Secret) CheckToken() error {
	if strings.ContainsFunc(s.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("has a character that is not visible ASCII")
	}
	return nil
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
