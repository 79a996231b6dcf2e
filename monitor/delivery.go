package monitor

import "context"

// A Delivery is an event with what the queue that delivers it knows about it.
type Delivery struct {
	Event *Event
	// ID identifies the message that carries the event. It stays the same however
	// often the queue delivers the message. An event without an ID of its own is
	// recognized by it. It must be unique among all messages that monitors with the
	// same [Config.Source] process: if several queues number their messages alike,
	// put the name of the queue before the number. Optional.
	ID string
	// Context has values that belong to this event, such as the trace that its
	// message continues. Everything that is called for this event sees them. Its
	// cancellation and its deadline are ignored; those of the call count. Optional.
	Context context.Context //nolint:containedctx // one of many in a batch
	// Attempt is the number of this delivery of the message, from 1, or 0 if the
	// queue does not know. From the second delivery on, a known event counts as
	// redelivered and not as replayed, however long ago the first delivery was.
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
