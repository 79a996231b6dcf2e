package redismetrics

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

//go:embed flush.lua
var flushSource string

var flushScript = redis.NewScript(flushSource)

const (
	liveIntervals = 10             // that an instance is live after a flush
	numberKept    = 24 * time.Hour // how long a flush can be repeated
)

// A flusher brings to Redis what an instance has counted.
type flusher struct {
	client    redis.UniversalClient
	keys      keyspace
	interval  time.Duration
	retention time.Duration
	instance  string
	local     *memmetrics.Collector

	// Whoever has put something into turn may use the fields below it.
	turn    chan struct{}
	number  int64                   // of the last flush
	pending *batch                  // that flush, until Redis has answered
	counted monitor.MetricsSnapshot // what went into a flush
}

// flush waits until nobody else is flushing. Then it sends what is pending, and
// what was counted since.
func (f *flusher) flush(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return fmt.Errorf("redismetrics: wait for flush: %w", ctx.Err())
	}
	if f.pending != nil {
		if err := f.send(ctx); err != nil {
			return err
		}
	}
	f.pending = f.collect(ctx)
	return f.send(ctx)
}

func (f *flusher) send(ctx context.Context) error {
	if err := flushScript.Run(ctx, f.client, f.pending.keys, f.pending.args...).Err(); err != nil {
		return fmt.Errorf("redismetrics: flush: %w", err)
	}
	f.pending = nil
	return nil
}

// collect takes what was counted since the last batch into a new one. The local
// collector is never reset: what is new is what it has beyond the last batch. The
// batch names every metric, so that none expires while an instance lives.
func (f *flusher) collect(ctx context.Context) *batch {
	f.number++
	b := &batch{
		keys: []string{f.keys.key("flush", f.instance), f.keys.key("live"), f.keys.key("gauges")},
		args: []any{
			f.instance, f.number, nil, // the gauges
			(liveIntervals * f.interval).Milliseconds(), max(0, f.retention.Milliseconds()), numberKept.Milliseconds(),
			metrics.MaxAttributes, metrics.OtherAttribute,
		},
	}
	gauges := gaugeValues{}
	now, _ := f.local.Snapshot(ctx) // memmetrics never fails
	for _, metric := range monitor.AllMetrics() {
		d := metric.Description()
		if d.Kind == monitor.MetricGauge {
			gauges[d.Name] = map[string]int64{}
			for attribute, data := range split(now.Metrics[metric]) {
				gauges[d.Name][attribute] = data.Value
			}
			continue
		}
		b.metric(f.keys.metric(d.Name))
		before := split(f.counted.Metrics[metric])
		for attribute, data := range split(now.Metrics[metric]) {
			b.add(attribute, beyond(data, before[attribute]))
		}
	}
	f.counted = now
	b.args[2] = gauges.encode()
	return b
}
