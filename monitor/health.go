package monitor

import (
	"fmt"
	"slices"
	"time"
)

// HealthStatus is the status of a component. Statuses are ordered: the overall
// status is the highest status of any component.
type HealthStatus uint8

// The statuses, from best to worst.
const (
	HealthOK HealthStatus = iota
	// HealthWarning means that something does not work, or not as it should, and that
	// the monitor goes on without it. Tell somebody, and keep the instance in service.
	HealthWarning
	// HealthCritical means that events or alerts have to wait, or are refused.
	HealthCritical
)

var healthNames = [...]string{"OK", "WARNING", "CRITICAL"}

// String returns OK, WARNING or CRITICAL.
func (s HealthStatus) String() string { return name(healthNames[:], s) }

// MarshalText returns what String returns.
func (s HealthStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText returns.
func (s *HealthStatus) UnmarshalText(text []byte) error {
	i := slices.Index(healthNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("monitor: unknown health status %.20q", text)
	}
	*s = HealthStatus(i)
	return nil
}

// ComponentHealth is the health of one component: a queue, a backend, a route.
type ComponentHealth struct {
	Name   string       `json:"name"`
	Status HealthStatus `json:"status"`
	// Message says what is wrong, or how full a queue is.
	Message string `json:"message,omitempty"`
	// LastSuccess and LastFailure are when a call to the component last succeeded and
	// last failed. Since is when the current series of failures began. Each is zero
	// if that never happened or the component does not record it.
	LastSuccess time.Time `json:"lastSuccess,omitzero"`
	LastFailure time.Time `json:"lastFailure,omitzero"`
	Since       time.Time `json:"since,omitzero"`
}

// Health is the health of a monitor and its ports.
type Health struct {
	Status     HealthStatus      `json:"status"`
	Components []ComponentHealth `json:"components"`
	Timestamp  time.Time         `json:"timestamp"`
}
