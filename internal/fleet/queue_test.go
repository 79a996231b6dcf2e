package fleet_test

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A delivery is an event on its way.
type delivery struct {
	id   string
	line []byte // of JSON
}

// A queue hands out batches of events, and those again that were given back.
type queue struct {
	mu       sync.Mutex
	changed  sync.Cond
	waiting  [][]delivery
	reserve  int // batches that are not handed out yet
	loaded   int // by the last load
	stored   int // since then
	taken    int // and neither stored nor given back
	returned int // given back, at all
	closed   bool
}

func newQueue() *queue {
	q := &queue{}
	q.changed.L = &q.mu
	return q
}

// load adds batches. The last quarter is not handed out before release is called,
// so that something is left for after a fault.
func (q *queue) load(batches [][]delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, batches...)
	q.loaded, q.stored, q.reserve = len(batches), 0, len(batches)/4
	q.changed.Broadcast()
}

// release hands out the rest.
func (q *queue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reserve = 0
	q.changed.Broadcast()
}

// take waits for a batch. There is none when the queue is closed or whoever wants
// it is dead.
func (q *queue) take(dead *atomic.Bool) (batch []delivery, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && !dead.Load() && len(q.waiting) <= q.reserve {
		q.changed.Wait()
	}
	if q.closed || dead.Load() {
		return nil, false
	}
	batch = q.waiting[0]
	q.waiting = q.waiting[1:]
	q.taken++
	return batch, true
}

// settle says whether a batch was acknowledged. If not it is handed out again.
func (q *queue) settle(batch []delivery, acknowledged bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken--
	if acknowledged {
		q.stored++
		return
	}
	q.returned++
	q.waiting = slices.Insert(q.waiting, 0, batch)
	q.changed.Broadcast()
}

// wake has those who wait look again.
func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.changed.Broadcast()
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

// half reports whether half of the load is stored.
func (q *queue) half() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return 2*q.stored >= q.loaded
}

// idle reports whether everything is stored.
func (q *queue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) == 0 && q.taken == 0
}

// redelivered returns how many batches were given back.
func (q *queue) redelivered() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.returned
}
