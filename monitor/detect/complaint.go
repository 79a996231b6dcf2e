package detect

import "fmt"

// A complaint takes what is wrong with a field.
type complaint func(field, format string, args ...any)

// complaints collects everything that is wrong with a configuration.
type complaints []error

// about returns the complaint that puts its subject before the field.
func (c *complaints) about(subject string) complaint {
	return func(field, format string, args ...any) {
		*c = append(*c, fmt.Errorf("%s%s: %s", subject, field, fmt.Sprintf(format, args...)))
	}
}
