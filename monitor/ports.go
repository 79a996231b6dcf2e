package monitor

import (
	"context"
	"time"
)

// A Runner is a port that has background work: flushing, expiring, delivering.
// [Monitor.Run] runs every port that is one and stops it by canceling ctx. Run
// returns when the work has ended, after a last flush, and returns the error of
// that flush. It must not return nil before ctx is canceled.
type Runner interface {
	Run(ctx context.Context) error
}

// A Flusher is a port that holds something back. Flush stores what it held when
// it was called; after an error it holds it still. [Monitor.Flush] flushes every
// port that is one.
type Flusher interface {
	Flush(ctx context.Context) error
}

// HealthReporter is a port that knows how it is. [Monitor.Health] asks it.
type HealthReporter interface {
	Health(ctx context.Context) ComponentHealth
}

// HealthStatus ranks health; the worst component's is that of the whole.
type HealthStatus uint8

// The health statuses of the reference, best first.
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

// ComponentHealth is the health of one part.
type ComponentHealth struct {
	Name    string       `json:"name"`
	Status  HealthStatus `json:"status"`
	Message string       `json:"message,omitempty"`
}

// Health is the health of a monitor and its ports.
type Health struct {
	Status     HealthStatus      `json:"status"`
	Components []ComponentHealth `json:"components"`
	Timestamp  time.Time         `json:"timestamp"`
}
