package monitor

import "context"

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

// A HealthReporter is a port that knows how it is: one component for each thing
// that can fail by itself. [Monitor.Health] asks it.
type HealthReporter interface {
	Health(ctx context.Context) []ComponentHealth
}
