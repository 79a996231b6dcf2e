package redismetrics

import (
	"context"
	_ "embed"
	"fmt"
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
	keys       []string
	args       []any
	attributes int // of the last metric
	count      int // where args tells their number
}

// metric begins the metric that is kept under a key.
func (b *batch) metric(key string) {
	b.keys = append(b.keys, key)
	b.attributes, b.count = 0, len(b.args)
	b.args = append(b.args, b.attributes)
}

// add adds to an attribute of the metric, unless there is nothing to add: each
// part's name and what to add to it.
func (b *batch) add(attribute string, data monitor.MetricData) {
	d := &data.Distribution
	parts := []any{partValue, data.Value}
	if d.Sum != 0 {
		parts = append(parts, partSum, int64(d.Sum))
	}
	if d.Max != 0 {
		parts = append(parts, partMax, int64(d.Max))
	}
	for _, bucket := range d.Buckets {
		parts = append(parts, bucketPart(bucket), bucket.Count)
	}
	if data.Value == 0 && len(parts) == 2 {
		return
	}
	b.attributes++
	b.args[b.count] = b.attributes
	b.args = append(b.args, attribute, len(parts)/2)
	b.args = append(b.args, parts...)
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

// collect takes what was counted since the last batch into a new one. The local
// collector is never reset: what is new is what it has beyond the last batch. The
// batch names every metric, so that none expires while an instance lives.
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
	now, _ := c.local.Snapshot(ctx) // memmetrics never fails
	for _, metric := range monitor.AllMetrics() {
		d := metric.Description()
		if d.Kind == monitor.MetricGauge {
			gauges[d.Name] = map[string]int64{}
			for attribute, data := range split(now.Metrics[metric]) {
				gauges[d.Name][attribute] = data.Value
			}
			continue
		}
		b.metric(c.key("monitor", d.Name))
		before := split(c.counted.Metrics[metric])
		for attribute, data := range split(now.Metrics[metric]) {
			b.add(attribute, beyond(data, before[attribute]))
		}
	}
	c.counted = now
	b.args[2] = gauges.encode()
	return b
}

// split returns the parts of a metric by attribute, with what was recorded
// without one under the empty attribute.
func split(all monitor.MetricData) map[string]monitor.MetricData {
	parts := map[string]monitor.MetricData{}
	plain := all
	for attribute, part := range all.ByAttribute {
		parts[attribute] = part
		plain = beyond(plain, part)
	}
	plain.ByAttribute = nil
	parts[""] = plain
	return parts
}

// beyond returns what data has beyond a part of it.
func beyond(data, part monitor.MetricData) monitor.MetricData {
	counted := make(map[time.Duration]int64, len(part.Distribution.Buckets))
	for _, b := range part.Distribution.Buckets {
		counted[b.Lower] = b.Count
	}
	d := data.Distribution
	rest := monitor.Distribution{Sum: d.Sum - part.Distribution.Sum}
	for _, b := range d.Buckets {
		if b.Count -= counted[b.Lower]; b.Count != 0 {
			rest.Buckets = append(rest.Buckets, b)
		}
	}
	if d.Max != part.Distribution.Max {
		rest.Max = d.Max
	}
	return monitor.MetricData{Value: data.Value - part.Value, Distribution: rest}
}
