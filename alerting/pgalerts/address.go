package pgalerts

import (
	"errors"
	"fmt"
	"regexp"
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

// idForm is the form that the IDs of alerts have, which are UUIDs.
var idForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// isID reports whether text can be the ID of an alert.
func isID(text string) bool { return idForm.MatchString(text) }
