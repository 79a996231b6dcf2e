// Package memmetrics counts in the memory of the process.
//
// [Collector.Record] takes about ten nanoseconds, does not allocate for an
// attribute that it knows, and scales over processors. Quantiles come from a
// histogram whose buckets are never wider than 1/32 of the durations in them;
// all other values are exact.
//
// The counts end with the process, and every instance has its own.
package memmetrics

import (
	"context"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Collector counts in memory. It is a [monitor.MetricsCollector] and a
// [monitor.Snapshotter], and safe for concurrent use.
type Collector struct {
	series []series // by metric
}

// New returns a collector that has counted nothing. It takes about 17 KB for each
// of its stripes. There are at least four stripes for each processor, and at most
// 64.
func New() *Collector {
	all := monitor.AllMetrics()
	c := &Collector{series: make([]series, len(all))}
	for i, metric := range all {
		c.series[i].init(metric.Description(), stripes())
	}
	return c
}

// Record counts a measurement. An unknown metric is ignored.
func (c *Collector) Record(_ context.Context, m monitor.Measurement) {
	if int(m.Metric) >= len(c.series) {
		return
	}
	s := &c.series[m.Metric]
	p := s.plain
	if m.Attribute != "" {
		p = s.of(m.Attribute)
	}
	p.record(m.Value)
}

// Snapshot returns what was counted. It includes every Record that returned
// before; of those that run at the same time any may be missing, so that values
// of different metrics may be from slightly different moments. A metric's total
// is always the sum over its attributes and of what was counted without one. It
// never returns an error.
func (c *Collector) Snapshot(context.Context) (monitor.MetricsSnapshot, error) {
	s := monitor.MetricsSnapshot{
		Timestamp: time.Now(),
		Metrics:   make(map[monitor.Metric]monitor.MetricData, len(c.series)),
	}
	for i := range c.series {
		s.Metrics[monitor.Metric(i)] = c.series[i].data()
	}
	return s, nil
}

// Reset sets counters and histograms to zero and forgets their attributes. Gauges
// keep their values. A Record that runs at the same time may be forgotten or
// stay.
func (c *Collector) Reset() {
	for i := range c.series {
		c.series[i].reset()
	}
}
