package monitor

import (
	"slices"
	"sync"
)

// A quarantine keeps events that are to be tried again later, while there is
// somebody to try: those whose verification is undecided, and submitted ones
// that failed where others did not.
type quarantine struct {
	capacity int
	mu       sync.Mutex
	open     bool
	items    []item
	out      int // items that were taken out to be tried
}

// keep takes over the event, with what was already done of it, and reports
// whether there was room.
func (q *quarantine) keep(it *item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.open || len(q.items)+q.out >= q.capacity {
		return false
	}
	kept := *it
	kept.quarantined = true
	kept.Event = it.Event.Clone() // its owner may change it
	kept.Context = it.ctx
	q.items = append(q.items, kept)
	return true
}

// take takes everything out, to be tried and put back.
func (q *quarantine) take() []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items, q.out = nil, len(items)
	return items
}

// putBack ends what take began, with what could not be settled.
func (q *quarantine) putBack(items []item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items, q.out = slices.Concat(items, q.items), 0
}

func (q *quarantine) setOpen(open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = open
}

func (q *quarantine) depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) + q.out
}
