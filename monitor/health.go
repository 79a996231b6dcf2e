package monitor

import "time"

// HealthStatus ranks health. The status of the whole is that of its worst
// component.
type HealthStatus uint8

// The statuses, best first.
const (
	HealthOK HealthStatus = iota
	HealthWarning
	HealthCritical
)

var healthNames = [...]string{"OK", "WARNING", "CRITICAL"}

// String returns OK, WARNING or CRITICAL.
func (s HealthStatus) String() string { return name(healthNames[:], s) }

// MarshalText writes the status's name.
func (s HealthStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ComponentHealth is the health of one component: a queue, a backend, a route.
type ComponentHealth struct {
	Name   string       `json:"name"`
	Status HealthStatus `json:"status"`
	// Message says what is wrong, or how full a queue is.
	Message string `json:"message,omitempty"`
	// LastSuccess and LastFailure are when a call to the component last succeeded
	// and last failed. Since is when the failures began that have not ended yet.
	// Each is zero if there was none, or if the component does not record them.
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
