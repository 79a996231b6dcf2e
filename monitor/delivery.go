package monitor

import "context"

// A Delivery is an event as it arrives, with what its queue knows of it.
type Delivery struct {
	Event *Event
	// ID identifies the message that carries the event, the same however often
	// the queue delivers it. An event without an ID of its own is recognized by
	// it. It must be unique among everything that monitors with the same
	// [Config.Source] are given for an organization; where several queues number
	// their messages alike, put the queue's name before the number. Optional.
	ID string
	// Context is where the event comes from, such as the trace that its message
	// continues. Its values are seen by everything that is called for this event;
	// cancellation and deadline are those of the call. Optional.
	Context context.Context //nolint:containedctx // one of many in a batch
	// Attempt counts the deliveries of the message, from 1, if the queue knows.
	// From the second on, an event that is known already is redelivered and not
	// replayed, however long ago the first one was.
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
