package metricstest

import (
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// A probe is a collector under test.
type probe struct {
	testing.TB
	harness   Harness
	collector Collector
}

func (p *probe) record(metric monitor.Metric, value int64, attribute string) {
	p.collector.Record(p.Context(), monitor.Measurement{Metric: metric, Value: value, Attribute: attribute})
}

func (p *probe) snapshot() monitor.MetricsSnapshot {
	p.Helper()
	if p.harness.Flush != nil {
		p.harness.Flush(p, p.collector)
	}
	return p.peek()
}

// peek takes a snapshot of what happens to be visible.
func (p *probe) peek() monitor.MetricsSnapshot {
	p.Helper()
	return check.Must(p.collector.Snapshot(p.Context()))(p)
}

func (p *probe) wantValue(m *monitor.MetricsSnapshot, metric monitor.Metric, want int64) {
	p.Helper()
	check.Equal(p, metric.String(), m.Value(metric), want)
}

func (p *probe) wantAttribute(m *monitor.MetricsSnapshot, metric monitor.Metric, attribute string, want int64) {
	p.Helper()
	check.Equal(p, metric.String()+" of "+attribute, m.Metrics[metric].ByAttribute[attribute].Value, want)
}
