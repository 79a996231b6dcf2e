package alerting

import (
	"context"
	"time"
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

// tracing calls a tracer, if there is one.
type tracing struct{ tracer Tracer }

// operation traces the start of a call to the store. The caller passes its error to
// end.
func (t tracing) operation(ctx context.Context, name string) (_ context.Context, end func(error)) {
	ctx, done := t.start(ctx, TraceOperationStart{Operation: name})
	return ctx, func(err error) { done(nil, err) }
}

// delivery traces the start of a delivery. The caller passes its result to end.
func (t tracing) delivery(ctx context.Context, n *Notification) (_ context.Context, end func(*Delivery, error)) {
	return t.start(ctx, TraceOperationStart{Operation: "deliver notification", Notification: n})
}

func (t tracing) start(ctx context.Context, data TraceOperationStart) (context.Context, func(*Delivery, error)) {
	if t.tracer == nil {
		return ctx, func(*Delivery, error) {}
	}
	data.Time = time.Now()
	ctx = t.tracer.TraceOperationStart(ctx, data)
	return ctx, func(d *Delivery, err error) {
		t.tracer.TraceOperationEnd(ctx, TraceOperationEnd{
			Operation: data.Operation, Delivery: d, Start: data.Time, Duration: time.Since(data.Time), Err: err,
		})
	}
}
