package monitor

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The size limits, in bytes. They hold for events, for findings and for every store,
// so that a store can keep whatever the monitor accepts.
const (
	// MaxEventSize is the maximum size of the JSON text of an event.
	MaxEventSize = 1 << 20
	// MaxFieldSize is the maximum size of a text field of an event. It does not apply
	// to the fields in Details.
	MaxFieldSize = 8 << 10
	// MaxOrganizationSize is the maximum size of the name of an organization.
	MaxOrganizationSize = 1000
	// MaxRuleSize is the maximum size of the name of a rule.
	MaxRuleSize = 255

	// A key of a finding can be made of several fields, which are escaped.
	maxFindingText = 8 * MaxFieldSize
)

var (
	errNotUTF8 = errors.New("not valid UTF-8")
	errNUL     = errors.New("contains a NUL")
)

// CheckOrganization returns an error if name cannot be the name of an organization:
// [ErrNoOrganization] if it is empty, [ErrTooLarge] if it exceeds
// [MaxOrganizationSize], or another error if it is not UTF-8 or contains a NUL.
func CheckOrganization(name string) error {
	if name == "" {
		return ErrNoOrganization
	}
	if err := checkText(name, MaxOrganizationSize); err != nil {
		return err
	}
	if strings.IndexByte(name, 0) >= 0 {
		return errNUL
	}
	return nil
}

func checkText(s string, limit int) error {
	if err := checkSize(s, limit); err != nil {
		return err
	}
	if !utf8.ValidString(s) {
		return errNotUTF8
	}
	return nil
}

func checkSize(s string, limit int) error {
	if len(s) > limit {
		return fmt.Errorf("%d bytes are more than %d: %w", len(s), limit, ErrTooLarge)
	}
	return nil
}
