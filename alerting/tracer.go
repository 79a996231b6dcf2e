package alerting

import (
	"context"
	"time"
)

// A Tracer is told when a [Manager] calls its store and when it delivers a
// notification. The context that it returns at the start is the one that the store
// or the notifier is called with, so that spans can nest. It must be safe for
// concurrent use and must not keep the data.
type Tracer interface {
	TraceOperationStart(ctx context.Context, data TraceOperationStart) context.Context
	// TraceOperationEnd is given the context that TraceOperationStart returned.
	TraceOperationEnd(ctx context.Context, data TraceOperationEnd)
}

// TraceOperationStart is what a [Tracer] is told at the start of an operation.
type TraceOperationStart struct {
	// Operation says what is done, such as "store occurrences", "acknowledge
	// alert" or "deliver notification".
	Operation string
	// Notification is what is delivered, nil for an operation of the store.
	Notification *Notification
	Time         time.Time
}

// TraceOperationEnd is what a [Tracer] is told at the end of an operation.
type TraceOperationEnd struct {
	Operation string
	// Delivery is what became of a delivery, nil for an operation of the store.
	Delivery *Delivery
	Start    time.Time
	Duration time.Duration
	Err      error
}

// tracing tells a tracer, if there is one, of operations.
type tracing struct{ tracer Tracer }

// operation says that an operation of the store begins. What it returns is called
// with the operation's error.
func (t tracing) operation(ctx context.Context, name string) (_ context.Context, end func(error)) {
	ctx, done := t.start(ctx, TraceOperationStart{Operation: name})
	return ctx, func(err error) { done(nil, err) }
}

// delivery says that a delivery begins. What it returns is called with what became
// of it.
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
