package redismetrics

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/monitor"
)

// read returns the totals over all instances.
func read(ctx context.Context, client redis.UniversalClient, keys keyspace) (monitor.MetricsSnapshot, error) {
	all := monitor.AllMetrics()
	names := make([]string, len(all), len(all)+1)
	for i, metric := range all {
		names[i] = keys.metric(metric.String())
	}
	names = append(names, keys.key("gauges"))
	hashes, err := readHashes(ctx, client, names)
	if err != nil {
		return monitor.MetricsSnapshot{}, fmt.Errorf("redismetrics: read totals: %w", err)
	}
	instances, err := parseGauges(hashes[len(all)])
	if err != nil {
		return monitor.MetricsSnapshot{}, fmt.Errorf("redismetrics: read %s: %w", names[len(all)], err)
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
			return monitor.MetricsSnapshot{}, fmt.Errorf("redismetrics: read %s: %w", names[i], err)
		}
	}
	return s, nil
}

// readHashes returns the hashes under the keys, in one round trip.
func readHashes(ctx context.Context, client redis.UniversalClient, keys []string) ([]map[string]string, error) {
	answers := make([]*redis.MapStringStringCmd, len(keys))
	_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			answers[i] = p.HGetAll(ctx, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	hashes := make([]map[string]string, len(keys))
	for i, answer := range answers {
		hashes[i] = answer.Val()
	}
	return hashes, nil
}
