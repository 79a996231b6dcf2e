// Package memmetrics counts in the memory of the process.
//
// [Collector.Record] takes about ten nanoseconds, does not allocate for an
// attribute that it knows, and scales over processors. Percentiles come from a
// histogram with a relative error below 1/32; all other values are exact.
//
// Nothing is kept beyond the process and nothing is added up over instances.
package memmetrics

import (
	"context"
	"time"

	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// A Collector counts in memory. It is a [monitor.MetricsCollector] and a
// [monitor.Snapshotter], and safe for concurrent use.
type Collector struct {
	gauges   [monitor.MetricCount]cell
	counters [monitor.MetricCount]counterSet
	latency  []metrics.Histogram // one a stripe
}

// New returns a collector that has counted nothing. It takes about 17 KB for
// each of its stripes, of which there are at least four a processor up to 64.
func New() *Collector {
	n := stripes()
	c := &Collector{latency: make([]metrics.Histogram, n)}
	for i := range c.counters {
		c.counters[i].plain = make(counter, n)
	}
	return c
}

// Record counts a measurement. Gauges and the histogram have no attributes. An
// unknown metric is ignored.
func (c *Collector) Record(_ context.Context, m monitor.Measurement) {
	if int(m.Metric) >= monitor.MetricCount {
		return
	}
	switch m.Metric.Kind() {
	case monitor.KindCounter:
		c.counters[m.Metric].of(m.Attribute).add(m.Value)
	case monitor.KindGauge:
		c.gauges[m.Metric].n.Store(m.Value)
	case monitor.KindHistogram:
		c.latency[stripe(len(c.latency))].Observe(time.Duration(m.Value))
	}
}

// Snapshot returns what was counted. It includes every Record that returned
// before; of those that run at the same time any may be missing, so that values
// of different metrics may be from slightly different moments. A metric's total
// is always the sum over its attributes and of what was counted without one. It
// never returns an error.
func (c *Collector) Snapshot(context.Context) (monitor.Metrics, error) {
	snapshot := monitor.Metrics{
		Timestamp:   time.Now(),
		ByAttribute: map[monitor.Metric]map[string]int64{},
	}
	var latency metrics.Distribution
	c.AddLatencyTo(&latency)
	snapshot.Latency = latency.Summary()

	for i := range monitor.MetricCount {
		metric := monitor.Metric(i)
		switch metric.Kind() {
		case monitor.KindCounter:
			total, parts := c.counters[i].read()
			snapshot.Values[i] = total
			if parts != nil {
				snapshot.ByAttribute[metric] = parts
			}
		case monitor.KindGauge:
			snapshot.Values[i] = c.gauges[i].n.Load()
		case monitor.KindHistogram:
			snapshot.Values[i] = snapshot.Latency.Count
		}
	}
	return snapshot, nil
}

// AddLatencyTo adds what was observed of [monitor.ProcessingLatency] to d, as
// [metrics.Histogram.AddTo] does.
func (c *Collector) AddLatencyTo(d *metrics.Distribution) {
	for i := range c.latency {
		c.latency[i].AddTo(d)
	}
}

// Reset sets the counters and the histogram to zero and forgets the attributes.
// Gauges keep their value, which is a state and not a count. A Record that runs
// at the same time may be forgotten or stay.
func (c *Collector) Reset() {
	for i := range c.counters {
		c.counters[i].reset()
	}
	var forgotten metrics.Distribution
	for i := range c.latency {
		c.latency[i].MoveTo(&forgotten)
	}
}
