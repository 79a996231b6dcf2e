package alerting

import (
	"errors"
	"strings"

	"github.com/auditwarden/auditwarden/monitor"
)

// AllOrganizations stands for every organization, where that is allowed. No
// organization can have this name, since none may contain a NUL.
const AllOrganizations = "\x00all"

// ValidateOrganization says whether an organization can have that name: it is
// [monitor.ErrNoOrganization] for none and an [InvalidError] for a name with a
// NUL in it.
func ValidateOrganization(organization string) error {
	switch {
	case organization == "":
		return monitor.ErrNoOrganization
	case organization == AllOrganizations:
		return &InvalidError{Field: "Organization", Err: errors.New("one organization is needed here, not all")}
	case strings.ContainsRune(organization, 0):
		return &InvalidError{Field: "Organization", Err: errors.New("contains a NUL")}
	}
	return nil
}
