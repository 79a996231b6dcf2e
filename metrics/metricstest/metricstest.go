// Package metricstest holds the tests that every collector of metrics passes,
// and its benchmarks.
package metricstest

import (
	"context"
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Collector records and can tell what it has recorded.
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
	// Flush makes what was recorded visible to Snapshot. Nil when it always is.
	Flush func(t testing.TB, c Collector)
}

// RunCollector runs the suite, each case as a subtest.
func RunCollector(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(newProbe(t, h)) })
	}
}

// A probe is a collector under test.
type probe struct {
	testing.TB
	harness   Harness
	collector Collector
}

func newProbe(t testing.TB, h Harness) *probe {
	t.Helper()
	return &probe{t, h, h.New(t)}
}

func (p *probe) record(metric monitor.Metric, value int64, attribute string) {
	p.collector.Record(p.Context(), monitor.Measurement{Metric: metric, Value: value, Attribute: attribute})
}

func (p *probe) snapshot() monitor.MetricsSnapshot {
	p.Helper()
	if p.harness.Flush != nil {
		p.harness.Flush(p, p.collector)
	}
	return p.peek(p.Context())
}

// peek takes a snapshot of what happens to be visible.
func (p *probe) peek(ctx context.Context) monitor.MetricsSnapshot {
	p.Helper()
	m, err := p.collector.Snapshot(ctx)
	if err != nil {
		p.Fatalf("Snapshot: %v", err)
	}
	return m
}

func (p *probe) wantValue(m *monitor.MetricsSnapshot, metric monitor.Metric, want int64) {
	p.Helper()
	if got := m.Value(metric); got != want {
		p.Errorf("%s = %d, want %d", metric, got, want)
	}
}

func (p *probe) wantAttribute(m *monitor.MetricsSnapshot, metric monitor.Metric, attribute string, want int64) {
	p.Helper()
	if got := m.Metrics[metric].ByAttribute[attribute].Value; got != want {
		p.Errorf("%s of %s = %d, want %d", metric, attribute, got, want)
	}
}
