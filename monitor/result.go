package monitor

import "time"

// A Result reports what happened to one event.
type Result struct {
	// State says what the caller must do next.
	State        ResultState
	Verification Verification
	// Duplicate says whether the event arrived before. Detectors get no duplicates.
	Duplicate Duplicate
	Timing    Timing
	// Sequence is [Arrival.Sequence], or 0 if the event was rejected.
	Sequence uint64
	// Findings are the findings of the detectors. For an event that failed
	// verification, was replayed or is conflicting, the only finding is the monitor's
	// own. Their texts can be parts of the line that an event was decoded from
	// ([DecodeEvent]), and findings of several events share memory: clone what you keep
	// for longer than the event.
	Findings []Finding
	// Dispositions[i] reports how the store handled Findings[i]. Dispositions is nil
	// if no finding was passed to the store.
	Dispositions []Disposition
	// Stages holds the times of the stages of the call. It is nil unless
	// [Config.ReportStages] is set.
	Stages *Stages
	// Err is the error that Process returns for this event. It can be set in
	// StateDone too, if a detector panicked on the event.
	Err error
}

// ResultState says what the caller must do next with an event.
type ResultState uint8

const (
	// StateDone means that the event was handled, whether it was accepted, failed
	// verification or was a duplicate. A consumer of a queue acknowledges it after
	// [Monitor.Flush].
	StateDone ResultState = iota
	// StateRejected means that the event is invalid. Trying again does not help. A
	// consumer of a queue moves it to the dead-letter queue.
	StateRejected
	// StateRetry means that verification, a detector or the store failed for now. The
	// caller tries the event again later.
	StateRetry
	// StateQuarantined means that the monitor keeps the event in memory and tries it
	// again by itself. A consumer of a queue should not acknowledge it yet, because
	// the event is lost if the process is killed.
	StateQuarantined
)

var stateNames = [...]string{"done", "rejected", "retry", "quarantined"}

// String returns the state in lower case.
func (s ResultState) String() string { return name(stateNames[:], s) }

// Duplicate says whether an event arrived before.
type Duplicate uint8

const (
	// DuplicateNone means that the event is new, or that it cannot be recognized
	// because it has no ID or is no longer in the dedup cache.
	DuplicateNone Duplicate = iota
	// DuplicateRedelivered means that the same event arrived before, within
	// [Config.RedeliveryHorizon] or in the same message of its queue.
	DuplicateRedelivered
	// DuplicateReplayed means that the same event arrived before, longer ago than
	// [Config.RedeliveryHorizon]. It raises an alert.
	DuplicateReplayed
	// DuplicateConflicting means that a different event with the same ID arrived
	// before. It raises an alert.
	DuplicateConflicting
)

var duplicateNames = [...]string{"none", "redelivered", "replayed", "conflicting"}

// String returns the value in snake case.
func (d Duplicate) String() string { return name(duplicateNames[:], d) }

// Stages holds the times at which the stages of a call ended. They apply to all
// events of the call together.
type Stages struct {
	// Start is when processing began.
	Start time.Time
	// Verified is when all events had been validated, verified and deduplicated.
	Verified time.Time
	// Detected is when detection ended. It equals End if there was nothing to store.
	Detected time.Time
	// End is when the occurrences had been stored.
	End time.Time
}

// read reads the clock if somebody wants to know. The monotonic clock is enough,
// and costs half of [time.Now].
func (s *Stages) read(wanted bool) (now time.Time) {
	if wanted {
		now = s.Start.Add(time.Since(s.Start))
	}
	return now
}
