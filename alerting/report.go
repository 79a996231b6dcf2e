package alerting

import (
	"context"
	"log/slog"

	"github.com/auditwarden/auditwarden/monitor"
)

// A reporter records metrics and logs errors.
type reporter struct {
	metrics monitor.MetricsCollector // may be nil
	logger  *slog.Logger
}

// record adds to a counter, sets a gauge or observes a duration.
func (r *reporter) record(ctx context.Context, m monitor.Metric, attribute string, value int64) {
	if r.metrics != nil {
		r.metrics.Record(ctx, monitor.Measurement{Metric: m, Value: value, Attribute: attribute})
	}
}

// count adds to a counter, unless n is 0.
func (r *reporter) count(ctx context.Context, m monitor.Metric, attribute string, n int64) {
	if n != 0 {
		r.record(ctx, m, attribute, n)
	}
}

// note records the result of a call, and logs the first of several failures in a row.
func (r *reporter) note(ctx context.Context, calls *monitor.HealthTracker, component string, err error) {
	first := calls.Err() == nil
	calls.Note(ctx, err)
	if err := calls.Err(); first && err != nil {
		r.logger.LogAttrs(ctx, slog.LevelError, "call to the store failed", slog.String("component", component), slog.Any("error", err))
	}
}
