package monitortest

import (
	"context"
	"sync"

	"github.com/auditwarden/auditwarden/monitor"
)

// Metrics is a [monitor.MetricsCollector] that records all measurements. The zero
// value is ready to use. It is safe for concurrent use.
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

// Value returns the total of a counter, the last value of a gauge or the number of
// observations of a histogram, added up over all attributes.
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

// ValueOf is like Value for one value of the metric's attribute.
func (m *Metrics) ValueOf(metric monitor.Metric, attribute string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[series{metric, attribute}]
}
