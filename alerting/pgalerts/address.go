package pgalerts

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// maxOrganization is what an index can hold of a name, in bytes.
const maxOrganization = 1000

// checkOrganization says whether there can be rows of an organization, or of all.
func checkOrganization(organization string) error {
	switch {
	case organization == alerting.AllOrganizations:
	case len(organization) > maxOrganization:
		return &alerting.InvalidError{
			Field: "Organization",
			Err:   fmt.Errorf("%d bytes are more than %d", len(organization), maxOrganization),
		}
	case !utf8.ValidString(organization):
		return &alerting.InvalidError{Field: "Organization", Err: errors.New("is not UTF-8")}
	}
	return nil
}

// checkRef says whether there can be an alert at that address.
func checkRef(ref monitor.AlertRef) error {
	if err := checkOrganization(ref.Organization); err != nil {
		return err
	}
	if !isID(ref.ID) {
		return notFound(ref)
	}
	return nil
}

func notFound(ref monitor.AlertRef) error {
	return fmt.Errorf("alert %.40q: %w", ref.ID, monitor.ErrNotFound)
}

// isID reports whether text is a UUID in the form that alerts have.
func isID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range []byte(text) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
