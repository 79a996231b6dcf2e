package detect

import (
	"context"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Windows hold the events of groups where several engines reach them, so that
// together they find what one engine with all the events would. An
// implementation must be safe for concurrent use; rediswindow has one.
type Windows interface {
	// Exchange adds the events of each request to its window, and answers with
	// what the window held before. For one window both happen at one moment. An
	// event that the window holds already is not added again.
	//
	// The answers are in the order of the requests. Behind them may be answers
	// to requests of earlier calls, whose events could not be added at the time
	// and have been added since: the engine judges these again.
	//
	// An error means that the events may have been added or not; the engine will
	// be given them again.
	Exchange(ctx context.Context, requests []*WindowRequest) ([]WindowAnswer, error)
}

// A WindowRequest asks to add events to the window of one group of one rule.
type WindowRequest struct {
	// ID identifies the rule with its version and kind, the organization and
	// the group: 32 digits that tell nothing of them.
	ID string
	// Rule, OrganizationID and Group are what ID stands for, for the engine.
	Rule, OrganizationID, Group string
	// Events are to be added, in order of arrival, at least one.
	Events []NewWindowEvent
	// Limit is how many events may be held. The oldest go first.
	Limit int
	// Horizon is a time in nanoseconds since 1970. Events up to it are not
	// needed any more.
	Horizon int64
	// Keep is how long the newest event may be needed, in time of events.
	Keep time.Duration
	// Tail, if it is not 0, is how many of the events held up to the time of the
	// earliest new one are enough for an answer, next to those after it, if the
	// answer counts what it hides.
	Tail int
	// Span is the length of the rule's window.
	Span time.Duration
}

// A WindowEvent is an event as a window holds it.
type WindowEvent struct {
	// Key tells the event from every other one.
	Key monitor.EventKey
	// Timestamp is in nanoseconds since 1970.
	Timestamp int64
	// Mark is what the event counts for.
	Mark uint64
	// ID is the event's ID, empty if it has none or a very long one.
	ID string
}

// A NewWindowEvent is an event that is new to a window. Beside what the window
// will hold it has what only the engine that was given the event knows and needs.
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
	// Held are the events held before, in order of time and, at the same time,
	// of their arrival.
	Held []WindowEvent
	// Hidden has for each event of the request the number of events within the
	// span up to it that were held before and are not in Held. It is nil if there
	// are none.
	Hidden []int
	// Lost is the newest timestamp that an event may be missing from, such as one
	// that went because of a limit, or [math.MinInt64].
	Lost int64
	// Cut is the number of events behind the horizon that the request cost
	// because of the limit.
	Cut int
}
