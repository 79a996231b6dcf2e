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
	if t.tracer == nil {
		return ctx, func(error) {}
	}
	began := time.Now()
	ctx = t.tracer.TraceOperationStart(ctx, TraceOperationStart{Operation: name, Time: began})
	return ctx, func(err error) {
		t.tracer.TraceOperationEnd(ctx, TraceOperationEnd{
			Operation: name, Start: began, Duration: time.Since(began), Err: err,
		})
	}
}

const deliver = "deliver notification"

// deliveryStart says that a delivery begins.
func (t tracing) deliveryStart(ctx context.Context, n *Notification, now time.Time) context.Context {
	if t.tracer == nil {
		return ctx
	}
	return t.tracer.TraceOperationStart(ctx, TraceOperationStart{Operation: deliver, Notification: n, Time: now})
}

// deliveryEnd says what became of a delivery.
func (t tracing) deliveryEnd(ctx context.Context, d *Delivery, began time.Time, took time.Duration, err error) {
	if t.tracer != nil {
		t.tracer.TraceOperationEnd(ctx, TraceOperationEnd{
			Operation: deliver, Delivery: d, Start: began, Duration: took, Err: err,
		})
	}
}
