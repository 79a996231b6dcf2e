package detect

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Windows hold the events of groups where several engines reach them, so that
// together they find what one engine with all the events would. An
// implementation must be safe for concurrent use; rediswindow has one.
type Windows interface {
	// Exchange adds what is new to each window, and fills in what it held
	// before. For one window both happen at one moment. An event that the
	// window holds already is not added again.
	//
	// It may also return windows of earlier calls, whose events it could not
	// add at the time and has added since: the engine judges these again.
	//
	// An error means that the new events may have been added or not; the engine
	// will be given them again.
	Exchange(ctx context.Context, windows []*Window) (earlier []*Window, err error)
}

// A Window is what an engine exchanges of one group of one rule.
type Window struct {
	// ID identifies the rule with its version and kind, the organization and
	// the group: 32 digits that tell nothing of them.
	ID string
	// Limit is how many events may be held. The oldest go first.
	Limit int
	// Horizon is a time in nanoseconds since 1970. Events up to it are not
	// needed any more.
	Horizon int64
	// Keep is how long the newest event may be needed, in time of events.
	Keep time.Duration
	// New are the events to add, in order of arrival, at least one.
	New []WindowEvent
	// Tail, if it is not 0, is how many of the events held up to the time of the
	// earliest new one are enough for Held, next to those after it, if Hidden
	// tells what is missing.
	Tail int
	// Span is the length of the rule's window.
	Span time.Duration

	// Held is to be filled in with the events held before, in order of time
	// and, at the same time, of their arrival.
	Held []WindowEvent
	// Lost is to be filled in with the newest timestamp that an event may be
	// missing from, such as one that went because of a limit, or
	// [math.MinInt64].
	Lost int64
	// Cut is to be filled in with the number of events behind the horizon that
	// this exchange cost because of the limit.
	Cut int

	rule         *rule
	organization string
	group        string
	opened       *opened // while it is judged
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

	// Hidden is to be filled in, for a new event, with the number of events
	// within Span up to it that were held before and are not in Held.
	Hidden int

	// Of a new event:
	hit      hit
	sequence uint64
	// horizon is the time up to which it needs no others.
	horizon int64
}

// stamp returns the event as it stands in an entry. Whoever saw it first, it has
// a sequence number that no event of a monitor has: one of the upper half.
func (e *WindowEvent) stamp() stamp {
	number := binary.BigEndian.Uint64(e.Key[:8]) ^ binary.BigEndian.Uint64(e.Key[8:])
	return stamp{e.Timestamp, number | 1<<63}
}
