package redismetrics_test

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/metrics/metricstest"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

func BenchmarkCollector(b *testing.B) { metricstest.BenchmarkCollector(b, harness(connectURL(b))) }

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
		c := newCollector(b, connectURL(b), redismetrics.Options{})
		stop := run(b, c)
		record(b, c)
		if err := stop(); err != nil {
			b.Error(err)
		}
	})
}

// BenchmarkFlush measures a flush: of nothing, and of what a second may bring.
func BenchmarkFlush(b *testing.B) {
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
			collector := newCollector(b, connectURL(b), redismetrics.Options{})
			b.ReportAllocs()
			for b.Loop() {
				c.record(collector)
				if _, err := collector.Read(b.Context(), monitor.KindCounter, "none"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
