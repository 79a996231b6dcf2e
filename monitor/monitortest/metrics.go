package monitortest

import (
	"context"
	"sync"

	"github.com/auditwarden/auditwarden/monitor"
)

// Metrics is a [monitor.MetricsCollector] that adds up all measurements of a metric,
// whatever their attributes. The zero value is ready to use. It is safe for
// concurrent use.
type Metrics struct {
	mu     sync.Mutex
	values map[monitor.Metric]int64
}

// Record records the measurement.
func (m *Metrics) Record(_ context.Context, v monitor.Measurement) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = make(map[monitor.Metric]int64)
	}
	switch v.Metric.Description().Kind {
	case monitor.MetricGauge:
		m.values[v.Metric] = v.Value
	case monitor.MetricHistogram:
		m.values[v.Metric]++
	default:
		m.values[v.Metric] += v.Value
	}
}

// Value returns a counter's total, a gauge's last value or a histogram's number
// of observations.
func (m *Metrics) Value(metric monitor.Metric) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[metric]
}
