package metricstest

import (
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Collector is a collector that the suite can test: it records measurements and
// returns a snapshot of them.
type Collector interface {
	monitor.MetricsCollector
	monitor.Snapshotter
}

// A Resetter is a collector that can set its counters and histograms to zero while
// its gauges keep their values. The suite tests Reset if the collector has it.
type Resetter interface{ Reset() }

// Tolerance is the maximum relative error of the mean, the quantiles and the
// maximum of a histogram. Counts must be exact.
const Tolerance = 0.05

// A Harness gives the suite access to one kind of collector.
type Harness struct {
	// New returns an empty collector. It releases its resources with t.Cleanup.
	New func(t testing.TB) Collector
	// Flush makes measurements visible to Snapshot. It is nil if they always are.
	Flush func(t testing.TB, c Collector)
}
