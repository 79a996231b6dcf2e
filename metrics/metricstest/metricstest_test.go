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
	snapshot func(m *monitor.MetricsSnapshot)
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

func (b *broken) Snapshot(ctx context.Context) (monitor.MetricsSnapshot, error) {
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

// setValue sets the value of a metric in a snapshot.
func setValue(m *monitor.MetricsSnapshot, metric monitor.Metric, value int64) {
	d := m.Metrics[metric]
	d.Value = value
	m.Metrics[metric] = d
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
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) { m.Timestamp = time.Time{} }}
		}},
		{"counts before anything happens", "Empty", func() *broken {
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) { setValue(m, monitor.Retries, 1) }}
		}},
		{"cannot tell what it counted", "Empty", func() *broken {
			return &broken{err: errors.New("no memory of it")}
		}},
		{"counter keeps only the last value", "Counters", func() *broken {
			var last [math.MaxUint8 + 1]atomic.Int64
			return &broken{
				record: func(_ *broken, _ context.Context, m monitor.Measurement) { last[m.Metric].Store(m.Value) },
				snapshot: func(m *monitor.MetricsSnapshot) {
					for metric := range m.Metrics {
						setValue(m, metric, last[metric].Load())
					}
				},
			}
		}},
		{"metrics of the same kind mixed up", "Counters", func() *broken {
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) {
				all := m.Metrics
				all[monitor.Retries], all[monitor.EventsDropped] = all[monitor.EventsDropped], all[monitor.Retries]
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
		{"no data of what was not recorded", "Empty", func() *broken {
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) { delete(m.Metrics, monitor.Retries) }}
		}},
		{"longest durations missing", "Histogram", func() *broken {
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) {
				d := m.Metrics[monitor.ProcessingLatency]
				d.Distribution.Buckets = d.Distribution.Buckets[:len(d.Distribution.Buckets)*9/10]
				m.Metrics[monitor.ProcessingLatency] = d
			}}
		}},
		{"buckets out of order", "Histogram", func() *broken {
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) {
				b := m.Metrics[monitor.ProcessingLatency].Distribution.Buckets
				b[0], b[1] = b[1], b[0]
			}}
		}},
		{"one histogram for all", "HistogramByAttribute", func() *broken {
			return &broken{record: func(b *broken, ctx context.Context, m monitor.Measurement) {
				if m.Metric == monitor.DeliveryDuration {
					b.Collector.Record(ctx, monitor.Measurement{Metric: monitor.ProcessingLatency, Value: m.Value})
				}
				b.Collector.Record(ctx, m)
			}}
		}},
		{"histogram not divided", "HistogramByAttribute", func() *broken {
			return &broken{record: func(b *broken, ctx context.Context, m monitor.Measurement) {
				if m.Metric == monitor.DeliveryDuration {
					m.Attribute = ""
				}
				b.Collector.Record(ctx, m)
			}}
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
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) {
				for metric, data := range m.Metrics {
					for _, part := range data.ByAttribute {
						setValue(m, metric, m.Value(metric)-part.Value)
					}
				}
			}}
		}},
		{"attribute of one metric under another", "Attributes", func() *broken {
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) {
				alerts, errs := m.Metrics[monitor.AlertsCreated], m.Metrics[monitor.Errors]
				alerts.ByAttribute, errs.ByAttribute = errs.ByAttribute, alerts.ByAttribute
				m.Metrics[monitor.AlertsCreated], m.Metrics[monitor.Errors] = alerts, errs
			}}
		}},
		{"attributes beyond the bound lost", "AttributesBounded", func() *broken {
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) {
				delete(m.Metrics[monitor.StateEvictions].ByAttribute, metrics.OtherAttribute)
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
			shared := map[string]monitor.MetricData{}
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) {
				d := m.Metrics[monitor.Verifications]
				maps.Copy(shared, d.ByAttribute)
				d.ByAttribute = shared
				m.Metrics[monitor.Verifications] = d
			}}
		}},
		{"negative latency", "ExtremeMeasurements", func() *broken {
			return &broken{snapshot: func(m *monitor.MetricsSnapshot) {
				d := m.Metrics[monitor.ProcessingLatency]
				d.Distribution.Max = -5
				m.Metrics[monitor.ProcessingLatency] = d
			}}
		}},
		{"unknown metric counted", "ExtremeMeasurements", func() *broken {
			return &broken{record: func(b *broken, ctx context.Context, m monitor.Measurement) {
				m.Metric = min(m.Metric, monitor.Metric(len(monitor.AllMetrics())-1))
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
