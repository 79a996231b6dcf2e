package memalerts

import "time"

// Losses count what was given up to keep the limits of a store.
type losses struct {
	open, closed int64            // alerts
	keys         int64            // event keys that may be delivered again
	dropped      map[string]int64 // notifications, by reason
	// at is when an open alert or an event key was given up last.
	at time.Time
}

func newLosses() losses { return losses{dropped: map[string]int64{}} }

// take adds other losses and resets them.
func (l *losses) take(other *losses) {
	l.open += other.open
	l.closed += other.closed
	l.keys += other.keys
	if other.open+other.keys > 0 {
		l.at = time.Now()
	}
	for reason, n := range other.dropped {
		l.dropped[reason] += n
	}
	clear(other.dropped)
	*other = losses{dropped: other.dropped}
}
