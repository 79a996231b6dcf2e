package redismetrics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/monitor"
)

// Snapshot flushes and returns the totals over all instances: what this one has
// counted until now, and the others until their last flush. Values of different
// metrics may be from slightly different moments. It takes two round trips. With
// an error there is no snapshot.
func (c *Collector) Snapshot(ctx context.Context) (monitor.Metrics, error) {
	keys := []string{c.key("gauges")}
	for i := range monitor.MetricCount {
		keys = append(keys, c.key("monitor", monitor.Metric(i).String()))
	}
	hashes, err := c.read(ctx, keys...)
	if err != nil {
		return monitor.Metrics{}, err
	}
	gauges, err := parseGauges(hashes[0])
	if err != nil {
		return monitor.Metrics{}, fmt.Errorf("redismetrics: read %s: %w", keys[0], err)
	}
	snapshot := monitor.Metrics{
		Timestamp:   time.Now(),
		ByAttribute: map[monitor.Metric]map[string]int64{},
	}
	for i := range monitor.MetricCount {
		metric := monitor.Metric(i)
		family, err := parseFamily(hashes[i+1])
		if err != nil {
			return monitor.Metrics{}, fmt.Errorf("redismetrics: read %s: %w", keys[i+1], err)
		}
		for attribute, t := range family {
			snapshot.Values[i] += t.count
			if attribute != "" {
				if snapshot.ByAttribute[metric] == nil {
					snapshot.ByAttribute[metric] = map[string]int64{}
				}
				snapshot.ByAttribute[metric][attribute] = t.count
			}
			if t.durations != nil {
				snapshot.Latency = t.durations.Summary()
			}
		}
		if metric.Kind() == monitor.KindGauge {
			snapshot.Values[i] = gauges[monitorGauges][metric.String()]
		}
	}
	return snapshot, nil
}

// A Series is a metric of the host's, over all instances.
type Series struct {
	Labels []Label
	// Value is a counter's total, a gauge's sum over the live instances or a
	// histogram's number of observations.
	Value int64
	// Failures is how many of a histogram's observations were failures.
	Failures int64
	// Latency summarizes a histogram.
	Latency monitor.LatencySummary
}

// ErrorRate returns failures per observation, 0 when there was none.
func (s *Series) ErrorRate() float64 {
	if s.Value == 0 {
		return 0
	}
	return float64(s.Failures) / float64(s.Value)
}

// Read flushes and returns the series of one name, the largest value first. A
// name that nobody uses has none. It takes two round trips.
func (c *Collector) Read(ctx context.Context, kind monitor.Kind, name string) ([]Series, error) {
	var all []Series
	var err error
	switch kind {
	case monitor.KindGauge:
		all, err = c.readGauges(ctx, name)
	case monitor.KindCounter:
		all, err = c.readFamily(ctx, c.key("counter", name))
	case monitor.KindHistogram:
		all, err = c.readFamily(ctx, c.key("histogram", name))
	default:
		err = fmt.Errorf("redismetrics: read %s: unknown kind %d", name, kind)
	}
	slices.SortFunc(all, func(a, b Series) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), slices.CompareFunc(a.Labels, b.Labels, func(a, b Label) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
		}))
	})
	return all, err
}

func (c *Collector) readFamily(ctx context.Context, key string) ([]Series, error) {
	hashes, err := c.read(ctx, key)
	if err != nil {
		return nil, err
	}
	family, err := parseFamily(hashes[0])
	if err != nil {
		return nil, fmt.Errorf("redismetrics: read %s: %w", key, err)
	}
	var all []Series
	for labels, t := range family {
		s := Series{Labels: parseLabels(labels), Value: t.count, Failures: t.failed}
		if t.durations != nil {
			s.Latency = t.durations.Summary()
		}
		all = append(all, s)
	}
	return all, nil
}

func (c *Collector) readGauges(ctx context.Context, name string) ([]Series, error) {
	key := c.key("gauges")
	hashes, err := c.read(ctx, key)
	if err != nil {
		return nil, err
	}
	gauges, err := parseGauges(hashes[0])
	if err != nil {
		return nil, fmt.Errorf("redismetrics: read %s: %w", key, err)
	}
	var all []Series
	for labels, n := range gauges[":"+name] {
		all = append(all, Series{Labels: parseLabels(labels), Value: n})
	}
	return all, nil
}

// read flushes and returns the hashes under the keys.
func (c *Collector) read(ctx context.Context, keys ...string) ([]map[string]string, error) {
	if err := c.takeTurn(ctx, c.flush); err != nil {
		return nil, err
	}
	answers := make([]*redis.MapStringStringCmd, len(keys))
	_, err := c.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			answers[i] = p.HGetAll(ctx, key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("redismetrics: read totals: %w", err)
	}
	hashes := make([]map[string]string, len(keys))
	for i, answer := range answers {
		hashes[i] = answer.Val()
	}
	return hashes, nil
}
