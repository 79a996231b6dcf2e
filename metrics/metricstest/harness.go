package metricstest

import (
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Collector records, and returns what it has recorded.
type Collector interface {
	monitor.MetricsCollector
	monitor.Snapshotter
}

// A Resetter is a collector that can start again: its counters and histograms
// become zero, its gauges keep their values. It is optional.
type Resetter interface{ Reset() }

// Tolerance is the relative error that the mean, the quantiles and the maximum
// of a histogram may have. Counts have none.
const Tolerance = 0.05

// A Harness tells the suite about a kind of collector.
type Harness struct {
	// New returns a collector that has recorded nothing. What it needs is
	// released by t.Cleanup.
	New func(t testing.TB) Collector
	// Flush makes what was recorded visible to Snapshot. It is nil if that is
	// visible at once.
	Flush func(t testing.TB, c Collector)
}
