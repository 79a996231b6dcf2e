package monitor

import "time"

// Timing says how an event's timestamp relates to the time that its
// organization's events have reached.
type Timing uint8

const (
	// TimingOnTime: not older than the newest accepted event by more than the allowed
	// lateness. Rules with windows count it in its place.
	TimingOnTime Timing = iota
	// TimingTooLate: older than the allowed lateness. Only stateless rules judge it.
	TimingTooLate
	// TimingFuture: later than the clock by more than the allowed skew. Only
	// stateless rules judge it.
	TimingFuture
)

var timingNames = [...]string{"on_time", "too_late", "future"}

// String returns the timing in snake case.
func (t Timing) String() string { return name(timingNames[:], t) }

// An Arrival is what the monitor knows of an event beside its content.
type Arrival struct {
	// OrganizationID is the event's organization, or the default one for an
	// event without.
	OrganizationID string
	// Sequence tells the events of a monitor apart. It is not 0, and stays the
	// same when the event is handed over again.
	Sequence uint64
	// DeliveryID is [Delivery.ID], by which an event without an ID is known.
	DeliveryID string
	// Repeated is set if the detector may have been handed the event before.
	Repeated bool
	// Watermark is the newest accepted timestamp of the organization, this
	// event included, rounded down to a multiple of Lateness/64. A detector must
	// keep what an event as old as Watermark - Lateness still needs.
	Watermark time.Time
	Lateness  time.Duration
	Timing    Timing
	// Verified is set when a verifier accepted the event; Covered then are the
	// fields its emitter vouches for. Without a verifier the host vouches for
	// the event and every field counts as covered.
	Verified bool
	Covered  Fields
}
