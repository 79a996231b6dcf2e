package detect

import (
	"context"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Windows hold the events of groups in a place that several engines share, so that
// together they find what one engine would find with all the events. Implementations
// must be safe for concurrent use. Package rediswindow has one.
type Windows interface {
	// Exchange adds the events of each request to its window and returns what the
	// window held before. For one window both happen at the same moment. An event
	// that the window holds already is not added again.
	//
	// The answers are in the order of the requests. They may be followed by answers
	// to requests of earlier calls, if the events of these could not be added at the
	// time and have been added since. The engine judges these events again.
	//
	// After an error the events may or may not have been added. The engine will be
	// given them again.
	Exchange(ctx context.Context, requests []*WindowRequest) ([]WindowAnswer, error)
}

// A WindowRequest asks to add events to one window, which is that of one group of
// one rule.
type WindowRequest struct {
	// ID identifies the window: the rule with its version and kind, the
	// organization and the group. It is a digest of 32 digits that reveals none of
	// them.
	ID string
	// Rule, OrganizationID and Group are what ID stands for. Only the engine needs
	// them.
	Rule, OrganizationID, Group string
	// Events are the events to add, at least one, in order of arrival.
	Events []NewWindowEvent
	// Limit is the number of events that the window may hold. The oldest are
	// dropped first.
	Limit int
	// Horizon is a time in nanoseconds since 1970. Events up to this time are not
	// needed any more.
	Horizon int64
	// Keep is how long the newest event may be needed, in the time of events.
	Keep time.Duration
	// Tail, if it is not 0, allows an answer to leave out events. Of the events up
	// to the time of the earliest new one, the newest Tail are enough, together with
	// all later events, if the answer tells how many events it hides.
	Tail int
	// Span is the length of the window of the rule.
	Span time.Duration
}

// A WindowEvent is an event as a window holds it.
type WindowEvent struct {
	// Key is different for every event.
	Key monitor.EventKey
	// Timestamp is in nanoseconds since 1970.
	Timestamp int64
	// Mark is what the event counts for.
	Mark uint64
	// ID is the ID of the event. It is empty if the event has none or a very long
	// one.
	ID string
}

// A NewWindowEvent is an event that is to be added to a window. The window holds
// the WindowEvent. The other fields are for the engine that adds the event, in case
// it gets an answer to its request in a later call.
type NewWindowEvent struct {
	WindowEvent
	// Sequence is the number of the event at its monitor.
	Sequence uint64
	// KeyField and Uncovered are those of findings about the event.
	KeyField  string
	Uncovered monitor.Fields
}

// A WindowAnswer tells what a window held before the events of a request.
type WindowAnswer struct {
	Request *WindowRequest
	// Held are the events that the window held, in order of time. Events with the
	// same timestamp are in order of their arrival.
	Held []WindowEvent
	// Hidden tells for each event of the request how many events the window held
	// within the span up to it that are not in Held. Nil means none.
	Hidden []int
	// Lost is the newest timestamp of an event that may be missing, for example
	// because of a limit, or [math.MinInt64].
	Lost int64
	// Cut is the number of events behind the horizon that were dropped for this
	// request because of the limit.
	Cut int
}
