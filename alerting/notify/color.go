package notify

import "github.com/auditwarden/auditwarden/monitor"

// Color returns the color for a severity in hex notation, such as #b00020.
func Color(s monitor.Severity) string {
	switch s {
	case monitor.SeverityCritical:
		return "#b00020"
	case monitor.SeverityHigh:
		return "#e8590c"
	case monitor.SeverityMedium:
		return "#f2c744"
	case monitor.SeverityLow:
		return "#4a90d9"
	}
	return "#8a8f98"
}
