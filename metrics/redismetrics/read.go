package redismetrics

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/monitor"
)

// Snapshot flushes and returns the totals over all instances: what this one has
// counted until now, and the others until their last flush. Values of different
// metrics may be from slightly different moments. It takes two round trips. With
// an error there is no snapshot.
func (c *Collector) Snapshot(ctx context.Context) (monitor.MetricsSnapshot, error) {
	all := monitor.AllMetrics()
	keys := make([]string, len(all), len(all)+1)
	for i, metric := range all {
		keys[i] = c.key("monitor", metric.String())
	}
	keys = append(keys, c.key("gauges"))
	hashes, err := c.read(ctx, keys...)
	if err != nil {
		return monitor.MetricsSnapshot{}, err
	}
	instances, err := parseGauges(hashes[len(all)])
	if err != nil {
		return monitor.MetricsSnapshot{}, fmt.Errorf("redismetrics: read %s: %w", keys[len(all)], err)
	}
	s := monitor.MetricsSnapshot{
		Timestamp: time.Now(),
		Metrics:   make(map[monitor.Metric]monitor.MetricData, len(all)),
	}
	for i, metric := range all {
		if d := metric.Description(); d.Kind == monitor.MetricGauge {
			s.Metrics[metric] = gaugeOf(instances, d)
			continue
		}
		if s.Metrics[metric], err = parseMetric(hashes[i]); err != nil {
			return monitor.MetricsSnapshot{}, fmt.Errorf("redismetrics: read %s: %w", keys[i], err)
		}
	}
	return s, nil
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
