package monitor

// Stats tells what a monitor has seen since it was created, as far as it is no
// metric, because metrics have no text from events.
type Stats struct {
	// Unmatched counts the events that no rule is about, for the first 256 actions
	// that such events had, the most frequent first. See [EventsUnmatched].
	Unmatched []ActionCount
	// UnmatchedOthers is the number of such events with other actions.
	UnmatchedOthers int64
}

// Stats returns the numbers of the monitor.
func (m *Monitor) Stats() Stats {
	u := &m.pipeline.detection.unmatched
	return Stats{Unmatched: u.list(), UnmatchedOthers: u.others.Load()}
}
