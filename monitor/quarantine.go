package monitor

import (
	"context"
	"sync"
	"time"
)

// quarantine keeps undecided events while Run is there to verify them again.
type quarantine struct {
	capacity int
	mu       sync.Mutex
	open     bool
	events   []*Event
}

// keep takes a copy of the event and reports whether there was room.
func (q *quarantine) keep(e *Event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.open || len(q.events) >= q.capacity {
		return false
	}
	q.events = append(q.events, e.Clone())
	return true
}

// take empties the quarantine.
func (q *quarantine) take() []*Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	events := q.events
	q.events = nil
	return events
}

func (q *quarantine) setOpen(open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = open
}

func (q *quarantine) depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.events)
}

// quarantineWorker verifies undecided events again at every interval. Those
// that are still undecided come back by the same way as the first time. When
// the monitor closes it goes on until the quarantine is empty.
func (m *Monitor) quarantineWorker(ctx context.Context, id int, drained <-chan struct{}) {
	w := &m.work
	tick := time.NewTicker(m.config.QuarantineInterval)
	defer tick.Stop()
	last := false
	for {
		select {
		case <-tick.C:
		case <-drained:
			drained, last = nil, true
		case <-ctx.Done():
			return
		}
		if events := w.quarantine.take(); len(events) > 0 {
			if !m.handle(ctx, id, events) {
				return
			}
		}
		depth := w.quarantine.depth()
		m.record(ctx, Measurement{Metric: QuarantineDepth, Value: int64(depth)})
		if last && depth == 0 {
			return
		}
	}
}
