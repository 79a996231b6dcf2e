package monitortest

import (
	"context"
	"sync"

	"github.com/auditwarden/auditwarden/monitor"
)

// Metrics is a [monitor.MetricsCollector] that records what it is handed. The
// zero value is ready to use; it is safe for concurrent use.
type Metrics struct {
	mu     sync.Mutex
	values map[series]int64
}

type series struct {
	metric    monitor.Metric
	attribute string
}

// Record records the measurement.
func (m *Metrics) Record(_ context.Context, v monitor.Measurement) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = make(map[series]int64)
	}
	s := series{v.Metric, v.Attribute}
	switch v.Metric.Description().Kind {
	case monitor.MetricGauge:
		m.values[s] = v.Value
	case monitor.MetricHistogram:
		m.values[s]++
	default:
		m.values[s] += v.Value
	}
}

// Value returns a counter's total, a gauge's last value or a histogram's number
// of observations, over all attributes.
func (m *Metrics) Value(metric monitor.Metric) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	var sum int64
	for s, v := range m.values {
		if s.metric == metric {
			sum += v
		}
	}
	return sum
}

// ValueOf is Value for one attribute.
func (m *Metrics) ValueOf(metric monitor.Metric, attribute string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[series{metric, attribute}]
}
