package monitor

import "time"

// A Result is what became of one event.
type Result struct {
	// State says whether the event is handled, and what the caller is to do if
	// it is not.
	State        ResultState
	Verification Verification
	// Duplicate says whether the event was seen before. A known event is not
	// handed to the detectors.
	Duplicate Duplicate
	Timing    Timing
	// Sequence tells the event from others that this monitor was given. It is 0
	// for an event that was rejected.
	Sequence uint64
	// Findings are those of the detectors, and of the monitor itself for events
	// that failed verification, were replayed or conflict with another.
	Findings []Finding
	// Dispositions are in the order of Findings: what the store made of each.
	Dispositions []Disposition
	// Stages are the times of the call's stages, if [Config.ReportStages] asks
	// for them.
	Stages *Stages
	// Err is the event's error: what Process returns, and in a batch the part
	// that belongs to this event. An event that is done has one if a detector
	// panicked on it.
	Err error
}

// ResultState says what is left to do for an event.
type ResultState uint8

const (
	// StateDone: nothing. The event was handled to the end, whether it was
	// accepted, failed verification or was known already. A queue acknowledges
	// it, after [Monitor.Flush].
	StateDone ResultState = iota
	// StateRejected: nothing. The event is invalid, and will be every time. A
	// queue makes it a dead letter.
	StateRejected
	// StateRetry: the event is to be given to the monitor again, later, since
	// something that it needs does not work now.
	StateRetry
	// StateQuarantined: nothing. The monitor keeps the event and tries it again
	// by itself. It is lost if the process is killed, so that a queue had better
	// have it delivered again.
	StateQuarantined
)

var stateNames = [...]string{"done", "rejected", "retry", "quarantined"}

// String returns the state in lower case.
func (s ResultState) String() string { return name(stateNames[:], s) }

// Duplicate says whether an event was seen before.
type Duplicate uint8

const (
	// DuplicateNone: the event is new, or has no ID.
	DuplicateNone Duplicate = iota
	// DuplicateRedelivered: the same event again, within the redelivery horizon,
	// or in a message that its queue delivers again.
	DuplicateRedelivered
	// DuplicateReplayed: the same event again, beyond it. It raises an alert.
	DuplicateReplayed
	// DuplicateConflicting: another event with a known ID. It raises an alert.
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
