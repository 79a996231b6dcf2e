package alerting

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/auditwarden/auditwarden/monitor"
)

// A reporter records metrics and logs errors. A collector or a logger that panics
// affects nothing else.
type reporter struct {
	metrics monitor.MetricsCollector // may be nil
	logger  *slog.Logger
	// panicked has what has panicked so far, since the first panic of each is logged.
	panicked sync.Map
}

// What may panic.
const (
	collectorName = "metrics collector"
	loggerName    = "logger"
	tracerName    = "tracer"
)

// record adds to a counter, sets a gauge or observes a duration.
func (r *reporter) record(ctx context.Context, m monitor.Metric, attribute string, value int64) {
	if r.metrics != nil {
		defer func() { r.recovered(ctx, collectorName, recover()) }()
		r.metrics.Record(ctx, monitor.Measurement{Metric: m, Value: value, Attribute: attribute})
	}
}

// count adds to a counter, unless n is 0.
func (r *reporter) count(ctx context.Context, m monitor.Metric, attribute string, n int64) {
	if n != 0 {
		r.record(ctx, m, attribute, n)
	}
}

// log writes a log record.
func (r *reporter) log(ctx context.Context, level slog.Level, message string, attributes ...slog.Attr) {
	defer func() { r.recovered(ctx, loggerName, recover()) }()
	r.logger.LogAttrs(ctx, level, message, attributes...) //nolint:sloglint // the callers pass constants
}

// recovered counts the panic of a tracer, a collector or a logger, and logs the first
// of each. V is what was recovered, nil if there was no panic.
func (r *reporter) recovered(ctx context.Context, where string, v any) {
	if v == nil {
		return
	}
	if where != collectorName {
		r.count(ctx, monitor.Errors, "panic", 1)
	}
	if _, before := r.panicked.LoadOrStore(where, true); !before && where != loggerName {
		r.log(ctx, slog.LevelError, "panic recovered", slog.String("where", where), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	}
}

// note records the result of a call, and logs the first of several failures in a row.
func (r *reporter) note(ctx context.Context, calls *monitor.HealthTracker, component string, err error) {
	first := calls.Err() == nil
	calls.Note(ctx, err)
	if err := calls.Err(); first && err != nil {
		r.log(ctx, slog.LevelError, "call to the store failed", slog.String("component", component), slog.Any("error", err))
	}
}
