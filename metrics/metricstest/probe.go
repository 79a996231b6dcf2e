package metricstest

import (
	"context"
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

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
