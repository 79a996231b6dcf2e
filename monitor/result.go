package monitor

import "time"

// A Result is what became of one event.
type Result struct {
	// State says what the caller has to do next.
	State        ResultState
	Verification Verification
	// Duplicate says whether the event was seen before. A known event is not
	// handed to the detectors.
	Duplicate Duplicate
	Timing    Timing
	// Sequence is [Arrival.Sequence]. It is 0 for an event that was rejected.
	Sequence uint64
	// Findings are those of the detectors, and of the monitor itself for events
	// that failed verification, were replayed or conflict with another.
	Findings []Finding
	// Dispositions are in the order of Findings: what the store made of each.
	Dispositions []Disposition
	// Stages are the times of the stages of the call. It is nil unless
	// [Config.ReportStages] is set.
	Stages *Stages
	// Err is the event's error: what Process returns, and in a batch the part
	// that belongs to this event. An event that is done has one if a detector
	// panicked on it.
	Err error
}

// ResultState says what the caller has to do next for an event.
type ResultState uint8

const (
	// StateDone means that the event was handled, whether it was accepted, failed
	// verification or was a duplicate. A consumer of a queue acknowledges it after
	// [Monitor.Flush].
	StateDone ResultState = iota
	// StateRejected means that the event is invalid. Trying again does not help. A
	// consumer of a queue makes it a dead letter.
	StateRejected
	// StateRetry means that something the event needs did not work. The caller
	// tries the event again later.
	StateRetry
	// StateQuarantined means that the monitor keeps the event in memory and tries
	// it again by itself. A consumer of a queue had better not acknowledge it yet,
	// because it is lost if the process is killed.
	StateQuarantined
)

var stateNames = [...]string{"done", "rejected", "retry", "quarantined"}

// String returns the state in lower case.
func (s ResultState) String() string { return name(stateNames[:], s) }

// Duplicate says whether an event was seen before.
type Duplicate uint8

const (
	// DuplicateNone means that the event is new, or cannot be recognized.
	DuplicateNone Duplicate = iota
	// DuplicateRedelivered means that the same event arrived before, within the
	// redelivery horizon or in the same message of its queue.
	DuplicateRedelivered
	// DuplicateReplayed means that the same event arrived before the redelivery
	// horizon. It raises an alert.
	DuplicateReplayed
	// DuplicateConflicting means that a different event with the same ID arrived
	// before. It raises an alert.
	DuplicateConflicting
)

var duplicateNames = [...]string{"none", "redelivered", "replayed", "conflicting"}

// String returns the value in snake case.
func (d Duplicate) String() string { return name(duplicateNames[:], d) }

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
