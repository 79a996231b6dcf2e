package pgalerts

import (
	"fmt"
	"regexp"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// checkOrganization rejects a name that cannot be stored, but not AllOrganizations.
func checkOrganization(organization string) error {
	if organization == alerting.AllOrganizations {
		return nil
	}
	if err := monitor.CheckOrganization(organization); err != nil {
		return &alerting.InvalidError{Field: "Organization", Err: err}
	}
	return nil
}

// checkRef returns an error if there cannot be an alert with this reference.
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

// idForm matches the IDs of alerts, which are UUIDs.
var idForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// isID reports whether text has the form of an alert's ID.
func isID(text string) bool { return idForm.MatchString(text) }
