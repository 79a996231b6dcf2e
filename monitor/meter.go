package monitor

import "context"

// A meter counts for a stage. It does nothing without a collector. What a collector
// panics on is lost and logged.
type meter struct {
	collector MetricsCollector
	panics    *panics
}

// count adds one to a counter.
func (m meter) count(ctx context.Context, metric Metric, attribute string) {
	m.record(ctx, metric, 1, attribute)
}

func (m meter) record(ctx context.Context, metric Metric, value int64, attribute string) {
	if m.collector == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			m.panics.note(ctx, "metrics", v)
		}
	}()
	m.collector.Record(ctx, Measurement{Metric: metric, Attribute: attribute, Value: value})
}
