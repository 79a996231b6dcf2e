package monitor

// A Result is what became of one event.
type Result struct {
	Verification Verification
	// Duplicate says whether the event was seen before. A known event is not
	// handed to the detectors.
	Duplicate Duplicate
	Timing    Timing
	// Sequence is the event's place in the order of arrival, from 1.
	Sequence uint64
	// Quarantined is set for an undecided event that the monitor keeps and will
	// verify again.
	Quarantined bool
	// Findings are those of the detectors, and of the monitor itself for events
	// that failed verification, were replayed or conflict with another.
	Findings []Finding
	// Dispositions are in the order of Findings: what the store made of each.
	Dispositions []Disposition
	// Err is the event's error: what Process returns, and in a batch the part
	// that belongs to this event.
	Err error
}

// Duplicate says whether an event was seen before.
type Duplicate uint8

const (
	// DuplicateNone: the event is new, or has no ID.
	DuplicateNone Duplicate = iota
	// DuplicateRedelivered: the same event again, within the redelivery horizon.
	DuplicateRedelivered
	// DuplicateReplayed: the same event again, beyond it. It raises an alert.
	DuplicateReplayed
	// DuplicateConflicting: another event with a known ID. It raises an alert.
	DuplicateConflicting
)

var duplicateNames = [...]string{"not_seen", "redelivered", "replayed", "conflicting"}

// String returns the value in snake case.
func (d Duplicate) String() string { return name(duplicateNames[:], d) }
