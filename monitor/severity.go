package monitor

import "fmt"

// Severity is the severity of a finding or an alert. Compare it with < and >.
type Severity uint8

// The severities, from lowest to highest.
const (
	SeverityInfo Severity = iota
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

var severityNames = [...]string{"INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"}

// String returns the name of the severity: INFO, LOW, MEDIUM, HIGH or CRITICAL.
func (s Severity) String() string { return name(severityNames[:], s) }

// MarshalText returns what String returns.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText decodes a severity's name, which must be in upper case.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, n := range severityNames {
		if n == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("monitor: unknown severity %q", text)
}

// name returns the name of an enumerated value, or its number for a value that
// has none.
func name[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("unknown(%d)", uint8(v))
}
