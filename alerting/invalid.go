package alerting

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// An InvalidError tells which input cannot be used. Trying again with the same
// input gives the same error.
type InvalidError struct {
	// Field names the input: a field, such as "Query.Limit" or
	// "Suppressions[1].TimeZone", or a parameter, such as "by".
	Field string
	// Err says what is wrong with it.
	Err error
}

func (e *InvalidError) Error() string { return fmt.Sprintf("alerting: %s: %v", e.Field, e.Err) }

func (e *InvalidError) Unwrap() error { return e.Err }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Err: fmt.Errorf(format, args...)}
}

// Limits of the texts that people write, in bytes.
const (
	maxName = 255
	maxNote = 10_000
)

// checkText refuses text that some backend could not keep.
func checkText(field, text string, limit int) error {
	switch {
	case len(text) > limit:
		return invalid(field, "%d bytes are more than %d", len(text), limit)
	case !utf8.ValidString(text):
		return invalid(field, "is not UTF-8")
	case strings.ContainsRune(text, 0):
		return invalid(field, "contains a NUL")
	}
	return nil
}

// CheckActor says whether by can stand for who did something: it must not be
// empty.
func CheckActor(by string) error {
	if strings.TrimSpace(by) == "" {
		return &InvalidError{Field: "by", Err: errors.New("missing")}
	}
	return checkText("by", by, maxName)
}
