package alerting

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Tracer observes each call of a [Manager] to its store and each delivery. The
// manager passes the context that TraceOperationStart returns to the store or the
// notifier, so that spans can nest. A Tracer must be safe for concurrent use and must
// not keep the data after a call.
type Tracer interface {
	TraceOperationStart(ctx context.Context, data TraceOperationStart) context.Context
	// TraceOperationEnd receives the context that TraceOperationStart returned.
	TraceOperationEnd(ctx context.Context, data TraceOperationEnd)
}

// TraceOperationStart describes an operation that starts.
type TraceOperationStart struct {
	// Operation is the name of the operation, such as "store occurrences",
	// "acknowledge alert" or "deliver notification".
	Operation string
	// Notification is the notification to deliver. It is nil for a call to the store.
	Notification *Notification
	Time         time.Time
}

// TraceOperationEnd describes an operation that has ended.
type TraceOperationEnd struct {
	Operation string
	// Delivery is the result of a delivery. It is nil for a call to the store.
	Delivery *Delivery
	Start    time.Time
	Duration time.Duration
	Err      error
}

// tracing calls a tracer, if there is one. A tracer that panics affects nothing else.
type tracing struct {
	tracer   Tracer
	reporter *reporter
}

// operation traces a call to the store, and converts a panic of the store to an error.
func (t tracing) operation(ctx context.Context, name string, call func(context.Context) error) (err error) {
	ctx, end := t.start(ctx, TraceOperationStart{Operation: name})
	defer func() {
		if v := recover(); v != nil {
			err = &monitor.PanicError{Where: "alert store", Value: v, Stack: debug.Stack()}
			t.reporter.count(ctx, monitor.Errors, "panic", 1)
		}
		end(nil, err)
	}()
	return call(ctx)
}

// delivery traces the start of a delivery. The caller passes its result to end.
func (t tracing) delivery(ctx context.Context, n *Notification) (_ context.Context, end func(*Delivery, error)) {
	return t.start(ctx, TraceOperationStart{Operation: "deliver notification", Notification: n})
}

func (t tracing) start(ctx context.Context, data TraceOperationStart) (_ context.Context, end func(*Delivery, error)) {
	if t.tracer == nil {
		return ctx, func(*Delivery, error) {}
	}
	data.Time = time.Now()
	traced := t.traceStart(ctx, data)
	return traced, func(d *Delivery, err error) {
		defer func() { t.reporter.recovered(ctx, tracerName, recover()) }()
		t.tracer.TraceOperationEnd(traced, TraceOperationEnd{
			Operation: data.Operation, Delivery: d, Start: data.Time, Duration: time.Since(data.Time), Err: err,
		})
	}
}

// traceStart returns the context of the tracer, or ctx if the tracer panics.
func (t tracing) traceStart(ctx context.Context, data TraceOperationStart) (traced context.Context) {
	defer func() { t.reporter.recovered(ctx, tracerName, recover()) }()
	traced = ctx //nolint:wastedassign // this is returned after a panic
	return t.tracer.TraceOperationStart(ctx, data)
}
