package alerting

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/monitor"
)

// An InvalidError means that an argument or a configuration value is invalid. Trying
// again with the same input gives the same error.
type InvalidError struct {
	// Field is the name of the invalid field or parameter, such as "Query.Limit",
	// "Suppressions[1].TimeZone" or "by".
	Field string
	// Err says what is wrong with the value.
	Err error
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %v", e.Field, e.Err) }

func (e *InvalidError) Unwrap() error { return e.Err }

// Is reports whether target is [monitor.ErrPermanent].
func (e *InvalidError) Is(target error) bool { return target == monitor.ErrPermanent }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Err: fmt.Errorf(format, args...)}
}

// Limits, in bytes, of texts that people write.
const (
	maxName = 255
	maxNote = 10_000
)

// checkNumber rejects a list with too many elements.
func checkNumber(field string, n, most int) error {
	if n > most {
		return invalid(field, "%d are more than %d", n, most)
	}
	return nil
}

// maxDuration limits durations that people set.
const maxDuration = 365 * 24 * time.Hour

// checkMillis rejects a duration that is out of range or not in whole milliseconds.
func checkMillis(field string, d time.Duration) error {
	switch {
	case d < 0 || d > maxDuration:
		return invalid(field, "%v is not between 0 and %v", d, maxDuration)
	case d%time.Millisecond != 0:
		return invalid(field, "%v is not in whole milliseconds", d)
	}
	return nil
}

// checkText rejects text that some stores cannot represent.
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

// checkActor rejects an actor that is blank or cannot be stored.
func checkActor(by string) error {
	if strings.TrimSpace(by) == "" {
		return &InvalidError{Field: "by", Err: errors.New("missing")}
	}
	return checkText("by", by, maxName)
}

// checkChange rejects invalid arguments of a change of status.
func checkChange(ref monitor.AlertRef, by, note string) error {
	return cmp.Or(checkOrganization(ref.Organization), checkActor(by), checkText("note", note, maxNote))
}

// AllOrganizations can be passed in place of an organization where the documentation
// says so. It cannot be the name of an organization, since no name may contain a NUL.
const AllOrganizations = "\x00all"

// checkOrganization rejects anything but the name of one organization.
func checkOrganization(name string) error {
	if name == AllOrganizations {
		return &InvalidError{Field: "Organization", Err: errors.New("one organization is needed here, not all")}
	}
	err := monitor.CheckOrganization(name)
	if err != nil && !errors.Is(err, monitor.ErrNoOrganization) {
		return &InvalidError{Field: "Organization", Err: err}
	}
	return err
}

// checkScope accepts the name of one organization or [AllOrganizations].
func checkScope(name string) error {
	if name == AllOrganizations {
		return nil
	}
	return checkOrganization(name)
}

// checkOccurrence rejects what [monitor.Occurrence.Validate] rejects.
func checkOccurrence(o *monitor.Occurrence) error {
	wrong, ok := errors.AsType[*monitor.InvalidOccurrenceError](o.Validate())
	switch {
	case !ok:
		return nil
	case wrong.Field == "":
		return &InvalidError{Field: "Occurrence", Err: wrong.Err}
	case wrong.Field == "Finding.OrganizationID":
		return &InvalidError{Field: "Organization", Err: wrong.Err}
	}
	return &InvalidError{Field: "Occurrence." + wrong.Field, Err: wrong.Err}
}
