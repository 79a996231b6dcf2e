package metricstest_test

import (
	"context"
	"errors"
	"maps"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/metrics/metricstest"
	"github.com/auditwarden/auditwarden/monitor"
)

// broken is a right collector with faults put in.
type broken struct {
	*memmetrics.Collector
	record   func(b *broken, ctx context.Context, m monitor.Measurement)
	snapshot func(m *monitor.Metrics)
	err      error
	reset    func(b *broken)
	held     atomic.Int64
}

func (b *broken) Record(ctx context.Context, m monitor.Measurement) {
	if b.record == nil {
		b.Collector.Record(ctx, m)
		return
	}
	b.record(b, ctx, m)
}

func (b *broken) Snapshot(ctx context.Context) (monitor.Metrics, error) {
	m, err := b.Collector.Snapshot(ctx)
	if b.snapshot != nil {
		b.snapshot(&m)
	}
	return m, errors.Join(err, b.err)
}

func (b *broken) Reset() {
	if b.reset == nil {
		b.Collector.Reset()
		return
	}
	b.reset(b)
}

// TestSuiteCatches puts one fault at a time into a collector and names the case
// that must find it.
func TestSuiteCatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault string
		by    string
		make  func() *broken
	}{
		{"no timestamp", "Empty", func() *broken {
			return &broken{snapshot: func(m *monitor.Metrics) { m.Timestamp = time.Time{} }}
		}},
		{"counts before anything happens", "Empty", func() *broken {
			return &broken{snapshot: func(m *monitor.Metrics) { m.Values[monitor.Retries]++ }}
		}},
		{"cannot tell what it counted", "Empty", func() *broken {
			return &broken{err: errors.New("no memory of it")}
		}},
		{"counter keeps only the last value", "Counters", func() *broken {
			var last [math.MaxUint8 + 1]atomic.Int64
			return &broken{
				record: func(_ *broken, _ context.Context, m monitor.Measurement) { last[m.Metric].Store(m.Value) },
				snapshot: func(m *monitor.Metrics) {
					for i := range m.Values {
						m.Values[i] = last[i].Load()
					}
				},
			}
		}},
		{"metrics of the same kind mixed up", "Counters", func() *broken {
			return &broken{snapshot: func(m *monitor.Metrics) {
				v := &m.Values
				v[monitor.Retries], v[monitor.EventsDropped] = v[monitor.EventsDropped], v[monitor.Retries]
			}}
		}},
		{"gauge keeps its maximum", "Gauges", func() *broken {
			return &broken{record: func(b *broken, ctx context.Context, m monitor.Measurement) {
				if m.Metric == monitor.QueueDepth {
					m.Value = max(m.Value, b.held.Load())
					b.held.Store(m.Value)
				}
				b.Collector.Record(ctx, m)
			}}
		}},
		{"p99 is p95", "Histogram", func() *broken {
			return &broken{snapshot: func(m *monitor.Metrics) { m.Latency.P99 = m.Latency.P95 - m.Latency.P95/20 }}
		}},
		{"latency in microseconds", "Histogram", func() *broken {
			return &broken{record: func(b *broken, ctx context.Context, m monitor.Measurement) {
				if m.Metric == monitor.ProcessingLatency {
					m.Value /= 1000
				}
				b.Collector.Record(ctx, m)
			}}
		}},
		{"attribute missing from the total", "Attributes", func() *broken {
			return &broken{snapshot: func(m *monitor.Metrics) {
				for metric, parts := range m.ByAttribute {
					for _, n := range parts {
						m.Values[metric] -= n
					}
				}
			}}
		}},
		{"attribute of one metric under another", "Attributes", func() *broken {
			return &broken{snapshot: func(m *monitor.Metrics) {
				m.ByAttribute[monitor.AlertsCreated], m.ByAttribute[monitor.Errors] =
					m.ByAttribute[monitor.Errors], m.ByAttribute[monitor.AlertsCreated]
			}}
		}},
		{"attributes beyond the bound lost", "AttributesBounded", func() *broken {
			return &broken{snapshot: func(m *monitor.Metrics) {
				delete(m.ByAttribute[monitor.StateEvictions], metrics.OtherAttribute)
			}}
		}},
		{"stops at a canceled context", "CanceledContext", func() *broken {
			return &broken{record: func(b *broken, ctx context.Context, m monitor.Measurement) {
				if ctx.Err() == nil {
					b.Collector.Record(ctx, m)
				}
			}}
		}},
		{"snapshots share a map", "SnapshotIsCopy", func() *broken {
			shared := map[string]int64{}
			return &broken{snapshot: func(m *monitor.Metrics) {
				maps.Copy(shared, m.ByAttribute[monitor.Verifications])
				if len(shared) > 0 {
					m.ByAttribute[monitor.Verifications] = shared
				}
			}}
		}},
		{"negative latency", "ExtremeMeasurements", func() *broken {
			return &broken{snapshot: func(m *monitor.Metrics) {
				if m.Latency.Max > time.Hour {
					m.Latency.P50 = -5
				}
			}}
		}},
		{"unknown metric counted", "ExtremeMeasurements", func() *broken {
			return &broken{record: func(b *broken, ctx context.Context, m monitor.Measurement) {
				m.Metric = min(m.Metric, monitor.Metric(monitor.MetricCount-1))
				b.Collector.Record(ctx, m)
			}}
		}},
		{"loses an update", "Concurrent", func() *broken {
			return &broken{record: func(b *broken, ctx context.Context, m monitor.Measurement) {
				if m.Metric != monitor.SuspiciousPatterns || b.held.Add(1) != 5000 {
					b.Collector.Record(ctx, m)
				}
			}}
		}},
		{"forgets while counting", "Concurrent", func() *broken {
			return &broken{record: func(b *broken, ctx context.Context, m monitor.Measurement) {
				if b.held.Add(1) == 20_000 {
					b.Collector.Reset()
				}
				b.Collector.Record(ctx, m)
			}}
		}},
		{"does not reset", "Reset", func() *broken {
			return &broken{reset: func(*broken) {}}
		}},
		{"resets a gauge", "Reset", func() *broken {
			return &broken{reset: func(b *broken) {
				b.Collector.Record(t.Context(), monitor.Measurement{Metric: monitor.QueueDepth})
				b.Collector.Reset()
			}}
		}},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			h := metricstest.Harness{New: func(testing.TB) metricstest.Collector {
				b := c.make()
				b.Collector = memmetrics.New()
				return b
			}}
			if !fails(t, h, c.by) {
				t.Errorf("the case %s does not notice", c.by)
			}
		})
	}
}

// fails reports whether a collector fails a case of the suite.
func fails(t *testing.T, h metricstest.Harness, name string) bool {
	t.Helper()
	v := &verdict{TB: t}
	done := make(chan struct{})
	go func() { // Fatalf ends the goroutine
		defer close(done)
		metricstest.RunCase(v, h, name)
	}()
	<-done
	return v.failed.Load()
}

// A verdict takes the failures of a test in place of t.
type verdict struct {
	testing.TB
	failed atomic.Bool
}

func (v *verdict) Helper()               {}
func (v *verdict) Logf(string, ...any)   {}
func (v *verdict) Errorf(string, ...any) { v.failed.Store(true) }
func (v *verdict) Fatalf(string, ...any) { v.failed.Store(true); runtime.Goexit() }
