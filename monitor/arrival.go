package monitor

import "time"

// Timing says how the timestamp of an event relates to the watermark of its
// organization and to the clock.
type Timing uint8

const (
	// TimingOnTime means that the event is not behind the watermark by more than
	// [Config.Lateness]. Rules with windows count it at its timestamp.
	TimingOnTime Timing = iota
	// TimingTooLate means that the event is behind the watermark by more than
	// [Config.Lateness]. Only stateless rules judge it.
	TimingTooLate
	// TimingFuture means that the event is ahead of the clock by more than
	// [Config.MaxSkew]. Only stateless rules judge it.
	TimingFuture
)

var timingNames = [...]string{"on_time", "too_late", "future"}

// String returns the timing in snake case.
func (t Timing) String() string { return name(timingNames[:], t) }

// An Arrival is what the monitor knows about an event besides its content.
type Arrival struct {
	// OrganizationID is the event's organization or, if it names none, that of its key
	// ([Verification.OrganizationID]) or [Config.DefaultOrganization].
	OrganizationID string
	// Sequence is unique among the events of a monitor, and never 0. It stays the
	// same when a detector is given the event again. It does not show the order.
	Sequence uint64
	// DeliveryKey identifies an event without an ID by its [Delivery.ID]. It is zero
	// if the event has an ID or the delivery has none.
	DeliveryKey EventKey
	// Repeated is set if the detector may have been given the event before.
	Repeated bool
	// Watermark is the newest accepted timestamp of the organization, this event
	// included, or the clock, if that is earlier and [Config.MaxSkew] is not -1. It is
	// rounded down to a multiple of Lateness/64. A detector must keep the state that
	// it needs for an event whose timestamp is Watermark - Lateness. The event's own
	// timestamp may be ahead of the watermark by MaxSkew.
	Watermark time.Time
	Lateness  time.Duration
	Timing    Timing
	// Verified is set if a verifier accepted the event. Covered is the set of fields
	// that the event's signature covers. Without a verifier the application vouches
	// for the event, and every field counts as covered.
	Verified bool
	Covered  Fields
}
