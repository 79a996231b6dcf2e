package monitor

import "context"

// A Delivery is an event together with what its message queue knows about it.
type Delivery struct {
	Event *Event
	// ID identifies the message that carries the event. It must be the same whenever
	// the queue delivers that message. An event without an ID of its own is
	// identified by it. It must be unique among all messages that monitors with the
	// same [Config.Source] process: if several queues number their messages
	// independently, put the name of the queue before the number. Optional.
	ID string
	// Context holds values that belong to this event, such as the trace context of
	// its message. Every call that is made for this event alone gets them. Its
	// cancellation and deadline are ignored; those of the context that ProcessBatch
	// was called with apply. Optional.
	Context context.Context //nolint:containedctx // one of many in a batch
	// Attempt is how many times the queue has delivered the message, including this
	// time, or 0 if the queue does not report it. If it is more than 1, an event that
	// arrived before counts as redelivered and never as replayed, however long ago
	// the first delivery was.
	Attempt int
}

// within returns the context that the event is processed in by a call that has
// its own.
func (d *Delivery) within(call context.Context) context.Context {
	if d.Context == nil || d.Context == call {
		return call
	}
	return deliveryContext{Context: call, values: d.Context}
}

// A deliveryContext is the context of a call with the values of a delivery.
type deliveryContext struct {
	context.Context //nolint:containedctx // it is one

	values context.Context //nolint:containedctx // as above
}

func (c deliveryContext) Value(key any) any {
	if v := c.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// An identity tells an event from the others of its organization: by its own ID,
// else by that of its delivery. Without either it is the zero identity.
type identity struct{ event, delivery string }

func (d *Delivery) identity() identity {
	if d.Event.ID != "" {
		return identity{event: d.Event.ID}
	}
	return identity{delivery: d.ID}
}
