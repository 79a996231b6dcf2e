package redisclaim

import (
	"strings"

	"github.com/auditwarden/auditwarden/monitor"
)

// encode returns the value of a key for a claim.
func encode(severity monitor.Severity, alertID string) string {
	return severity.String() + " " + alertID
}

// decode is the inverse of encode. It returns ok = false for any other text.
func decode(value string) (severity monitor.Severity, alertID string, ok bool) {
	name, alertID, _ := strings.Cut(value, " ")
	err := severity.UnmarshalText([]byte(name))
	return severity, alertID, err == nil && alertID != ""
}
