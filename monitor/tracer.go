package monitor

import (
	"context"
	"time"
)

// A Tracer is told of every call that processes events: when it starts, before
// something is stored, and when it has ended and everything is known of it, the
// times of its stages included. So a tracer can decide at the end what is worth
// keeping, and make its spans then. A tracer that does no more than that at the
// start costs an event that it does not keep next to nothing.
//
// It must be safe for concurrent use, and must not keep the data.
type Tracer interface {
	// TraceProcessStart returns the context that the events are processed in:
	// the verifier, the detectors and the store are called with it. It may return
	// the one it is given.
	TraceProcessStart(ctx context.Context, data TraceProcessStart) context.Context
	// TraceStoreStart is called if there are occurrences to be stored. It may set
	// their trace and span IDs, and returns the context that the store is called
	// with.
	TraceStoreStart(ctx context.Context, data TraceStoreStart) context.Context
	// TraceProcessEnd is given the context that was returned last.
	TraceProcessEnd(ctx context.Context, data TraceProcessEnd)
}

// TraceProcessStart is what a [Tracer] is told at the start of a call.
type TraceProcessStart struct {
	// Deliveries are the events, one for [Monitor.Process]. Each may have a
	// context of its own, which a span for all of them links to.
	Deliveries []Delivery
	Time       time.Time
}

// TraceStoreStart is what a [Tracer] is told before occurrences are stored.
type TraceStoreStart struct {
	Occurrences []*Occurrence
	Time        time.Time
}

// TraceProcessEnd is what a [Tracer] is told at the end of a call.
type TraceProcessEnd struct {
	Deliveries []Delivery
	// Results are in the order of the deliveries.
	Results []*Result
	Stages  Stages
}

// Stages are the times at which the stages of a call began and ended. They are
// those of all events of the call together.
type Stages struct {
	// Start is when the first event was looked at.
	Start time.Time
	// Verified is when the events were validated, verified and looked up.
	Verified time.Time
	// Detected is when the detectors had judged them. It is End if there was
	// nothing to store.
	Detected time.Time
	// End is when the alerts were stored.
	End time.Time
}

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
