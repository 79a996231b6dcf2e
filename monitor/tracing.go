package monitor

import (
	"context"
	"time"
)

// tracing tells a tracer, if there is one, of a call. What the tracer panics on goes
// untraced.
type tracing struct {
	tracer  Tracer
	metrics meter
}

// traced is what a batch needs memory for while it is traced.
type traced struct {
	deliveries []Delivery
	results    []*Result
}

func (t tracing) start(ctx context.Context, items []item, now time.Time, room *traced) (spanned context.Context) {
	if t.tracer == nil {
		return ctx
	}
	for i := range items {
		room.deliveries = append(room.deliveries, items[i].Delivery)
		room.results = append(room.results, &items[i].result)
	}
	defer t.recover(ctx, &spanned)
	return t.tracer.TraceProcessStart(ctx, TraceProcessStart{Deliveries: room.deliveries, Time: now})
}

func (t tracing) store(ctx context.Context, os []*Occurrence, now time.Time) (spanned context.Context) {
	if t.tracer == nil {
		return ctx
	}
	defer t.recover(ctx, &spanned)
	return t.tracer.TraceStoreStart(ctx, TraceStoreStart{Occurrences: os, Time: now})
}

func (t tracing) end(ctx context.Context, stages Stages, room *traced) {
	if t.tracer == nil {
		return
	}
	defer func() {
		clear(room.deliveries)
		clear(room.results)
		room.deliveries, room.results = room.deliveries[:0], room.results[:0]
	}()
	defer t.recover(ctx, new(context.Context))
	t.tracer.TraceProcessEnd(ctx, TraceProcessEnd{Deliveries: room.deliveries, Results: room.results, Stages: stages})
}

// recover is deferred by a call of the tracer. Without an answer of the tracer, the
// context stays what it was.
func (t tracing) recover(ctx context.Context, spanned *context.Context) { //nolint:gocritic // of a named result
	if v := recover(); v != nil {
		t.metrics.count(ctx, Errors, "panic")
		t.metrics.panics.note(ctx, "tracer", v)
	}
	if *spanned == nil {
		*spanned = ctx //nolint:fatcontext // it is the caller's result
	}
}
