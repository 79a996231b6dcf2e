package metrics

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Fan passes every measurement to several collectors. It also runs their
// background work and reports their health. Use [Fanout] to create one.
type Fan struct {
	collectors []monitor.MetricsCollector
}

// Fanout returns a collector that records every measurement with each of the
// collectors, in that order. It is safe for concurrent use if they are.
func Fanout(collectors ...monitor.MetricsCollector) *Fan {
	return &Fan{collectors}
}

// Record records the measurement with every collector.
func (f *Fan) Record(ctx context.Context, m monitor.Measurement) {
	for _, c := range f.collectors {
		c.Record(ctx, m)
	}
}

// Snapshot returns the snapshot of the first collector that is a
// [monitor.Snapshotter]. If there is none, the error is [errors.ErrUnsupported].
func (f *Fan) Snapshot(ctx context.Context) (monitor.MetricsSnapshot, error) {
	for _, c := range f.collectors {
		if s, ok := c.(monitor.Snapshotter); ok {
			return s.Snapshot(ctx)
		}
	}
	return monitor.MetricsSnapshot{}, fmt.Errorf("metrics: snapshot of fan-out: %w", errors.ErrUnsupported)
}

// Run runs every collector that is a [monitor.Runner] until ctx is canceled, and
// returns when all of them have returned. If one of them returns earlier, Run stops
// the others. It returns the joined errors.
func (f *Fan) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(f.collectors))
	var running sync.WaitGroup
	for i, c := range f.collectors {
		if r, ok := c.(monitor.Runner); ok {
			running.Go(func() {
				defer stop()
				errs[i] = r.Run(ctx)
			})
		}
	}
	<-ctx.Done()
	running.Wait()
	return errors.Join(errs...)
}

// Health returns the health of every collector that is a [monitor.HealthReporter].
func (f *Fan) Health(ctx context.Context) []monitor.ComponentHealth {
	var all []monitor.ComponentHealth
	for _, c := range f.collectors {
		if r, ok := c.(monitor.HealthReporter); ok {
			all = append(all, r.Health(ctx)...)
		}
	}
	return all
}
