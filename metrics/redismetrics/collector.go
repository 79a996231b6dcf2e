package redismetrics

import (
	"cmp"
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

// Options are the settings of a [Collector]. Zero fields have defaults.
type Options struct {
	// Prefix distinguishes services that share a Redis. All instances of one service
	// must have the same prefix. It must not contain braces. Defaults to
	// "auditwarden:metrics".
	Prefix string
	// Interval is the time between flushes, at least 1 ms. Defaults to 1 s.
	Interval time.Duration
	// Retention is how long Redis keeps the totals after the last flush of any
	// instance. If it is negative, they do not expire. Defaults to 24 hours.
	Retention time.Duration
}

// A Collector counts in memory and adds up the counts of all instances in Redis.
// It is a [monitor.MetricsCollector], [monitor.Snapshotter], [monitor.Runner] and
// [monitor.HealthReporter], and is safe for concurrent use.
type Collector struct {
	flusher flusher
	running atomic.Bool
	flushes monitor.HealthTracker // of Run
}

// New returns an empty collector. If options is nil, the defaults apply. New
// neither connects to Redis nor starts a goroutine. The error names the option.
func New(client redis.UniversalClient, options *Options) (*Collector, error) {
	if client == nil {
		return nil, errors.New("redismetrics: new collector: client is nil")
	}
	o := *cmp.Or(options, &Options{})
	o.Prefix = cmp.Or(o.Prefix, "auditwarden:metrics")
	o.Interval = cmp.Or(o.Interval, time.Second)
	o.Retention = cmp.Or(o.Retention, 24*time.Hour)
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

// Record records a measurement in memory. It ignores an unknown metric.
func (c *Collector) Record(ctx context.Context, m monitor.Measurement) {
	c.flusher.local.Record(ctx, m)
}

// Run flushes at every interval until ctx is canceled. Then it flushes a last
// time, which may take up to five seconds, and returns the error of that flush. It
// retries flushes that fail earlier; [Collector.Health] reports them.
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

// Snapshot flushes and returns the totals over all instances: what this instance
// has counted until now, and the others until their last flush. The values of
// different metrics may be from slightly different times. Snapshot takes two round
// trips. If it returns an error, the snapshot is empty.
func (c *Collector) Snapshot(ctx context.Context) (monitor.MetricsSnapshot, error) {
	if err := c.flusher.flush(ctx); err != nil {
		return monitor.MetricsSnapshot{}, err
	}
	return read(ctx, c.flusher.client, c.flusher.keys)
}

// Health returns WARNING while the flushes of [Collector.Run] fail or Run is not
// active, and OK otherwise. The totals of this instance are only delayed then. It
// returns CRITICAL while somebody else uses one of the keys, which does not end by
// itself.
func (c *Collector) Health(context.Context) []monitor.ComponentHealth {
	h := c.flushes.Health("redismetrics")
	if h.Status == monitor.HealthOK && !c.running.Load() {
		h.Message = "not running"
	}
	if h.Message != "" {
		h.Status = monitor.HealthWarning
	}
	if redis.HasErrorPrefix(c.flushes.Err(), "WRONGTYPE") {
		h.Status = monitor.HealthCritical
	}
	return []monitor.ComponentHealth{h}
}
