package redismetrics_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/metrics/metricstest"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

func BenchmarkCollector(b *testing.B) {
	metricstest.BenchmarkCollector(b, harness(testservice.SharedRedisClient(b)))
}

// BenchmarkRecord compares recording what an event brings while a collector
// flushes to Redis once a second with recording it in memory.
func BenchmarkRecord(b *testing.B) {
	record := func(b *testing.B, c monitor.MetricsCollector) {
		b.Helper()
		ctx := b.Context()
		b.ReportAllocs()
		for b.Loop() {
			c.Record(ctx, monitor.Measurement{Metric: monitor.Verifications, Value: 1, Attribute: "verified"})
			c.Record(ctx, monitor.Measurement{Metric: monitor.EventsProcessed, Value: 1})
			c.Record(ctx, monitor.Measurement{Metric: monitor.ProcessingLatency, Value: 450})
		}
	}
	b.Run("memory", func(b *testing.B) { record(b, memmetrics.New()) })
	b.Run("redis", func(b *testing.B) {
		c := newCollector(b, testservice.SharedRedisClient(b), redismetrics.Options{})
		stop := run(b, c)
		record(b, c)
		require.NoError(b, stop())
	})
}

// BenchmarkProcess compares a monitor with the five rules that counts for Redis,
// and flushes once a second, with one that counts in memory: whole events, by
// turns, so that whatever else the machine does falls on both.
func BenchmarkProcess(b *testing.B) {
	const events = 10_000
	collector := newCollector(b, testservice.SharedRedisClient(b), redismetrics.Options{})
	stop := run(b, collector)
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	process := func(metrics monitor.MetricsCollector) (turn func() time.Duration) {
		engine, err := detect.New(nil)
		require.NoError(b, err)
		m, err := monitor.New(monitor.Config{
			AllowUnverified: true, MaxSkew: -1, Detectors: []monitor.Detector{engine}, Metrics: metrics,
		})
		require.NoError(b, err)
		e := &monitor.Event{
			Timestamp: noon, Action: "document.view", Status: monitor.StatusSuccess, OrganizationID: "org-1",
			TargetResourceType: "Document", TargetResourceID: "doc-4711", OutcomeDescription: "viewed",
		}
		principals := make([]string, 1000)
		for i := range principals {
			principals[i] = "user-" + strconv.Itoa(i)
		}
		return func() time.Duration {
			begin := time.Now()
			for i := range events {
				e.PrincipalID = principals[i%len(principals)]
				e.Timestamp = e.Timestamp.Add(1300 * time.Microsecond)
				if r, err := m.Process(b.Context(), e); err != nil || len(r.Findings) > 0 {
					b.Fatal(r.Findings, err)
				}
			}
			return time.Since(begin)
		}
	}
	memory, redis := process(memmetrics.New()), process(collector)
	var inMemory, inRedis []time.Duration
	for b.Loop() {
		inMemory, inRedis = append(inMemory, memory()), append(inRedis, redis())
	}
	require.NoError(b, stop())
	median := func(times []time.Duration) float64 {
		slices.Sort(times)
		return float64(times[len(times)/2].Nanoseconds()) / events
	}
	b.ReportMetric(median(inMemory), "memory-ns/event")
	b.ReportMetric(median(inRedis), "redis-ns/event")
	b.ReportMetric(median(inRedis)/median(inMemory), "ratio")
}

// BenchmarkSnapshot measures a flush and reading the totals: of nothing, and of what
// a second may bring.
func BenchmarkSnapshot(b *testing.B) {
	for _, c := range []struct {
		name   string
		record func(c *redismetrics.Collector)
	}{
		{"idle", func(*redismetrics.Collector) {}},
		{"busy", func(c *redismetrics.Collector) {
			for i := range 200 {
				c.Record(b.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: int64(i) * int64(time.Microsecond)})
			}
			for _, rule := range []string{"failed_auth", "unauthorized_access", "data_velocity", "bulk_operation", "off_hours"} {
				c.Record(b.Context(), monitor.Measurement{Metric: monitor.SuspiciousPatterns, Value: 1, Attribute: rule})
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			collector := newCollector(b, testservice.SharedRedisClient(b), redismetrics.Options{})
			b.ReportAllocs()
			for b.Loop() {
				c.record(collector)
				if _, err := collector.Snapshot(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
