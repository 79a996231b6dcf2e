// Package memmetrics provides a metrics collector in the memory of the process.
//
// [Collector.Record] takes about ten nanoseconds, does not allocate for an
// attribute value that it has seen before, and scales with the number of
// processors. Quantiles have a relative error below 1/32; other values are exact.
//
// Every instance has its own counts, which are lost when its process ends.
package memmetrics

import (
	"context"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Collector keeps metrics in memory. It is a [monitor.MetricsCollector] and a
// [monitor.Snapshotter], and is safe for concurrent use.
type Collector struct {
	series []series // by metric
}

// New returns an empty collector. It uses about 17 KB of memory for each of its
// stripes. It has at least four stripes per processor, but not more than 64.
func New() *Collector {
	all := monitor.AllMetrics()
	c := &Collector{series: make([]series, len(all))}
	for i, metric := range all {
		c.series[i].init(metric.Description(), stripes())
	}
	return c
}

// Record records a measurement. It ignores an unknown metric.
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

// Snapshot returns the data of all metrics. It includes every measurement whose
// Record has returned. It may include or miss concurrent ones, so the values of
// different metrics may be from slightly different times. The total of a metric is
// always the sum of the values for its attributes and of the value without an
// attribute. The error is always nil.
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

// Reset sets counters and histograms to zero and removes their attributes. Gauges
// keep their values. A concurrent Record may or may not be lost.
func (c *Collector) Reset() {
	for i := range c.series {
		c.series[i].reset()
	}
}
