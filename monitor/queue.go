package monitor

import (
	"context"
	"fmt"
	"sync"
)

// A queue holds the events that were submitted and that no worker has taken.
type queue struct {
	policy  QueuePolicy
	metrics meter
	waiting chan Delivery

	// submit holds accepting for reading. Whoever has held it for writing after
	// closing was closed knows that the queue gets no further event.
	accepting sync.RWMutex
	closing   chan struct{}
	close     func() // closes closing, once
}

func (q *queue) init(policy QueuePolicy, capacity int, metrics meter) {
	q.policy, q.metrics = policy, metrics
	q.waiting = make(chan Delivery, capacity)
	q.closing = make(chan struct{})
	q.close = sync.OnceFunc(func() { close(q.closing) })
}

func (q *queue) closed() bool {
	select {
	case <-q.closing:
		return true
	default:
		return false
	}
}

// submit adds an event, or returns why it did not.
func (q *queue) submit(ctx context.Context, d Delivery) error {
	q.accepting.RLock()
	defer q.accepting.RUnlock()
	if q.closed() {
		return ErrClosed
	}
	err := q.add(ctx, d)
	if err == nil {
		q.measure(ctx)
	}
	return err
}

func (q *queue) add(ctx context.Context, d Delivery) error {
	select {
	case q.waiting <- d:
		return nil
	default:
	}
	switch q.policy {
	case QueueReject:
		q.metrics.count(ctx, EventsRejected, "")
		return fmt.Errorf("monitor: submit event: queue of %d: %w", cap(q.waiting), ErrOverloaded)
	case QueueDropOldest:
		for {
			select {
			case q.waiting <- d:
				return nil
			default:
			}
			if _, ok := q.next(); ok {
				q.metrics.count(ctx, EventsDropped, q.policy.String())
			}
		}
	case QueueBlock:
	}
	select {
	case q.waiting <- d:
		return nil
	case <-q.closing:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("monitor: submit event: %w", ctx.Err())
	}
}

// next takes the event that waits longest, if there is one.
func (q *queue) next() (d Delivery, ok bool) {
	select {
	case d = <-q.waiting:
		return d, true
	default:
		return d, false
	}
}

// last is next for a queue that is closed: it waits for the calls of submit that
// began before.
func (q *queue) last() (d Delivery, ok bool) {
	q.accepting.Lock()
	defer q.accepting.Unlock()
	return q.next()
}

func (q *queue) measure(ctx context.Context) {
	q.metrics.record(ctx, QueueDepth, int64(len(q.waiting)), "")
}
