package metricstest

import (
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

// BenchmarkCollector measures recording each kind of measurement, recording
// from all processors at once, and taking a snapshot.
func BenchmarkCollector(b *testing.B, h Harness) {
	measurements := []struct {
		name string
		m    monitor.Measurement
	}{
		{"counter", monitor.Measurement{Metric: monitor.EventsProcessed, Value: 1}},
		{"attribute", monitor.Measurement{Metric: monitor.Verifications, Value: 1, Attribute: monitor.VerdictVerified.String()}},
		{"gauge", monitor.Measurement{Metric: monitor.QueueDepth, Value: 12}},
		{"histogram", monitor.Measurement{Metric: monitor.ProcessingLatency, Value: 450}},
	}
	for _, c := range measurements {
		b.Run(c.name, func(b *testing.B) {
			collector := h.New(b)
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				collector.Record(ctx, c.m)
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		collector := h.New(b)
		ctx := b.Context()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				for _, c := range measurements {
					if c.name != "gauge" { // which is one place
						collector.Record(ctx, c.m)
					}
				}
			}
		})
	})
	b.Run("snapshot", func(b *testing.B) {
		collector := h.New(b)
		for _, c := range measurements {
			collector.Record(b.Context(), c.m)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := collector.Snapshot(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
