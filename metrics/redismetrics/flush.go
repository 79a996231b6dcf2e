package redismetrics

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/monitor"
)

//go:embed flush.lua
var flushSource string

var flushScript = redis.NewScript(flushSource)

const (
	liveIntervals = 10             // that an instance is live after a flush
	numberKept    = 24 * time.Hour // how long a flush can be repeated
)

// A batch is what a flush sends: the keys and arguments of the script.
type batch struct {
	keys   []string
	args   []any
	series int // in the last family
	count  int // where args tells their number
}

// family begins the family that is kept under a key.
func (b *batch) family(key string) {
	b.keys = append(b.keys, key)
	b.series, b.count = 0, len(b.args)
	b.args = append(b.args, b.series)
}

// add adds a series to the family: each part's name and what to add to it.
func (b *batch) add(labels string, parts ...any) {
	b.series++
	b.args[b.count] = b.series
	b.args = append(b.args, labels, len(parts)/2)
	b.args = append(b.args, parts...)
}

// addCount adds a series of a counter, unless there is nothing to add.
func (b *batch) addCount(labels string, n int64) {
	if n != 0 {
		b.add(labels, partCount, n)
	}
}

// addDurations adds a series of a histogram, unless there is nothing to add.
func (b *batch) addDurations(labels string, d *metrics.Distribution, failed int64) {
	if failed == 0 && *d == (metrics.Distribution{}) {
		return
	}
	parts := []any{partCount, d.Count(), partFailed, failed, partSum, int64(d.Sum), partMax, int64(d.Max)}
	for bucket, n := range &d.Counts {
		if n != 0 {
			parts = append(parts, strconv.Itoa(bucket), n)
		}
	}
	b.add(labels, parts...)
}

// flush sends what is pending, and then what was counted since. It is called in
// turn.
func (c *Collector) flush(ctx context.Context) error {
	if c.pending != nil {
		if err := c.send(ctx); err != nil {
			return err
		}
	}
	c.pending = c.collect(ctx)
	return c.send(ctx)
}

func (c *Collector) send(ctx context.Context) error {
	if err := flushScript.Run(ctx, c.client, c.pending.keys, c.pending.args...).Err(); err != nil {
		return fmt.Errorf("redismetrics: flush: %w", err)
	}
	c.pending = nil
	return nil
}

// collect takes what was counted since the last batch into a new one. It names
// every family, so that none expires while an instance lives that knows it.
func (c *Collector) collect(ctx context.Context) *batch {
	c.number++
	b := &batch{
		keys: []string{c.key("flush", c.instance), c.key("live"), c.key("gauges")},
		args: []any{
			c.instance, c.number, nil, // the gauges
			(liveIntervals * c.interval).Milliseconds(), max(0, c.retention.Milliseconds()), numberKept.Milliseconds(),
			metrics.MaxAttributes, metrics.OtherAttribute,
		},
	}
	gauges := gaugeValues{}
	c.collectMonitor(ctx, b, gauges)
	c.collectHost(b, gauges)
	b.args[2] = gauges.encode()
	return b
}

// collectMonitor collects the metrics of package monitor. The local collector
// is never reset: what is new is what it has beyond the last batch.
func (c *Collector) collectMonitor(ctx context.Context, b *batch, gauges gaugeValues) {
	now, _ := c.local.Snapshot(ctx) // memmetrics never fails
	for i := range monitor.MetricCount {
		metric := monitor.Metric(i)
		switch metric.Kind() {
		case monitor.KindCounter:
			b.family(c.key("monitor", metric.String()))
			plain := now.Values[i] - c.counted.Values[i]
			for attribute, n := range now.ByAttribute[metric] {
				n -= c.counted.ByAttribute[metric][attribute]
				b.addCount(attribute, n)
				plain -= n
			}
			b.addCount("", plain)
		case monitor.KindGauge:
			gauges.add(monitorGauges, metric.String(), now.Values[i])
		case monitor.KindHistogram:
			b.family(c.key("monitor", metric.String()))
			var latency metrics.Distribution
			c.local.AddLatencyTo(&latency)
			b.addDurations("", beyond(&latency, &c.latency), 0)
			c.latency = latency
		}
	}
	c.counted = now
}

// beyond returns what a growing distribution has beyond an earlier state.
func beyond(now, before *metrics.Distribution) *metrics.Distribution {
	d := *now
	for i, n := range &before.Counts {
		d.Counts[i] -= n
	}
	d.Sum -= before.Sum
	if d.Max == before.Max {
		d.Max = 0
	}
	return &d
}

// collectHost collects the host's own metrics.
func (c *Collector) collectHost(b *batch, gauges gaugeValues) {
	for name, series := range c.counters.all() {
		b.family(c.key("counter", name))
		for labels, counter := range series {
			b.addCount(labels, counter.n.Swap(0))
		}
	}
	for name, series := range c.gauges.all() {
		for labels, gauge := range series {
			gauges.add(":"+name, labels, gauge.n.Load())
		}
	}
	for name, series := range c.histograms.all() {
		b.family(c.key("histogram", name))
		for labels, h := range series {
			var d metrics.Distribution
			h.durations.MoveTo(&d)
			b.addDurations(labels, &d, h.failed.Swap(0))
		}
	}
}
