package alerting

import (
	"strings"

	"github.com/auditwarden/auditwarden/monitor"
)

// Erased says what [Manager.Erase] has done.
type Erased struct {
	// Alerts is the number of alerts that were deleted because the name was their key.
	Alerts int
	// Changed is the number of other alerts in which, or in the history of which, the
	// name was replaced.
	Changed int
	// Evidence is the number of events that were deleted from the evidence of other
	// alerts because they had the name.
	Evidence int
}

// checkName rejects a name that is blank or that no event can have.
func checkName(name string) error {
	if strings.TrimSpace(name) == "" {
		return invalid("name", "missing")
	}
	return checkText("name", name, monitor.MaxFieldSize)
}
