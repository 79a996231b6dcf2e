package monitor

import (
	"context"
	"time"
)

// tracing tells a tracer, if there is one, of a call.
type tracing struct{ tracer Tracer }

// traced is what a batch needs memory for while it is traced.
type traced struct {
	deliveries []Delivery
	results    []*Result
}

func (t tracing) start(ctx context.Context, items []item, now time.Time, room *traced) context.Context {
	if t.tracer == nil {
		return ctx
	}
	for i := range items {
		room.deliveries = append(room.deliveries, items[i].Delivery)
		room.results = append(room.results, &items[i].result)
	}
	return t.tracer.TraceProcessStart(ctx, TraceProcessStart{Deliveries: room.deliveries, Time: now})
}

func (t tracing) store(ctx context.Context, os []*Occurrence, now time.Time) context.Context {
	if t.tracer == nil {
		return ctx
	}
	return t.tracer.TraceStoreStart(ctx, TraceStoreStart{Occurrences: os, Time: now})
}

func (t tracing) end(ctx context.Context, stages Stages, room *traced) {
	if t.tracer == nil {
		return
	}
	t.tracer.TraceProcessEnd(ctx, TraceProcessEnd{Deliveries: room.deliveries, Results: room.results, Stages: stages})
	clear(room.deliveries)
	clear(room.results)
	room.deliveries, room.results = room.deliveries[:0], room.results[:0]
}
