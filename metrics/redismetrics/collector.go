package redismetrics

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// Options are the settings of a [Collector]. The zero value of each is its
// default.
type Options struct {
	// Prefix separates services that share a Redis. The instances of one service
	// have the same. It must not contain braces. Default: auditwarden:metrics.
	Prefix string
	// Interval is the time between two flushes. Default: one second.
	Interval time.Duration
	// Retention is how long totals are kept after the last flush of any
	// instance. If it is negative they do not expire. Default: 24 hours.
	Retention time.Duration
}

// A Collector counts in memory and adds up over instances in Redis. It is a
// [monitor.MetricsCollector], [monitor.Snapshotter], [monitor.Runner] and
// [monitor.HealthReporter], and safe for concurrent use.
type Collector struct {
	flusher flusher
	running atomic.Bool
	flushes monitor.HealthTracker // of Run
}

// New returns a collector that has counted nothing. Nil options are the
// defaults. It does not connect to Redis and starts no goroutine. The error
// names the option that is wrong.
func New(client redis.UniversalClient, options *Options) (*Collector, error) {
	if client == nil {
		return nil, errors.New("redismetrics: new collector: client is nil")
	}
	var o Options
	if options != nil {
		o = *options
	}
	if o.Prefix == "" {
		o.Prefix = "auditwarden:metrics"
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.Retention == 0 {
		o.Retention = 24 * time.Hour
	}
	if strings.ContainsAny(o.Prefix, "{}") {
		return nil, fmt.Errorf("redismetrics: new collector: Prefix %q contains braces", o.Prefix)
	}
	if o.Interval < time.Millisecond {
		return nil, fmt.Errorf("redismetrics: new collector: Interval %v is under a millisecond", o.Interval)
	}
	if o.Retention > 0 && o.Retention < o.Interval {
		return nil, fmt.Errorf("redismetrics: new collector: Retention %v is under the interval of %v", o.Retention, o.Interval)
	}
	return &Collector{flusher: flusher{
		client:    client,
		keys:      keyspace("{" + o.Prefix + "}"),
		interval:  o.Interval,
		retention: o.Retention,
		instance:  rand.Text(),
		local:     memmetrics.New(),
		turn:      make(chan struct{}, 1),
	}}, nil
}

// Record counts a measurement in memory. An unknown metric is ignored.
func (c *Collector) Record(ctx context.Context, m monitor.Measurement) {
	c.flusher.local.Record(ctx, m)
}

// Run flushes once an interval until ctx is canceled, and once more then, for
// which it waits up to five seconds. It returns the error of that last flush. A
// flush that failed earlier was repeated; [Collector.Health] tells of it.
func (c *Collector) Run(ctx context.Context) error {
	c.running.Store(true)
	defer c.running.Store(false)
	tick := time.NewTicker(c.flusher.interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.flushes.Note(ctx, c.flusher.flush(ctx))
		case <-ctx.Done():
			return c.lastFlush(context.WithoutCancel(ctx))
		}
	}
}

func (c *Collector) lastFlush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := c.flusher.flush(ctx)
	c.flushes.Note(ctx, err)
	return err
}

// Snapshot flushes and returns the totals over all instances: what this one has
// counted until now, and the others until their last flush. Values of different
// metrics may be from slightly different moments. It takes two round trips. With
// an error there is no snapshot.
func (c *Collector) Snapshot(ctx context.Context) (monitor.MetricsSnapshot, error) {
	if err := c.flusher.flush(ctx); err != nil {
		return monitor.MetricsSnapshot{}, err
	}
	return read(ctx, c.flusher.client, c.flusher.keys)
}

// Health is WARNING while the flushes of [Collector.Run] fail or Run is not
// active. It is never CRITICAL: the totals of the other instances are right, and
// those of this one are late.
func (c *Collector) Health(context.Context) []monitor.ComponentHealth {
	h := c.flushes.Health("redismetrics")
	if h.Status == monitor.HealthOK && !c.running.Load() {
		h.Message = "not running"
	}
	if h.Message != "" {
		h.Status = monitor.HealthWarning
	}
	return []monitor.ComponentHealth{h}
}
