package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/internal/backoff"
)

// work is what Submit hands over and Run carries out.
type work struct {
	policy     QueuePolicy
	queue      chan *Event
	quarantine quarantine

	// Submit holds accepting for reading. Whoever has held it for writing after
	// closing was closed knows that the queue gets no further event.
	accepting sync.RWMutex
	closing   chan struct{}
	close     func() // closes closing, once

	mu      sync.Mutex
	started bool
	abort   context.CancelFunc // gives up what is not handled yet; set by start
	inHand  [][]*Event         // what each worker is at

	ended  chan struct{} // closed when everything has ended
	result error         // of Run, known when ended is closed
}

func (w *work) init(c Config) {
	w.policy = c.QueuePolicy
	w.queue = make(chan *Event, c.QueueCapacity)
	w.quarantine.capacity = c.QuarantineCapacity
	w.closing = make(chan struct{})
	w.close = sync.OnceFunc(func() { close(w.closing) })
	w.ended = make(chan struct{})
	w.inHand = make([][]*Event, c.Workers+1)
}

func (w *work) closed() bool {
	select {
	case <-w.closing:
		return true
	default:
		return false
	}
}

// Submit hands an event to the workers of [Monitor.Run] and returns. The event
// belongs to the monitor from then on. What could not be handled at once is
// tried again until it is, or until the shutdown gives up and returns it.
//
// The error is an [*InvalidEventError]; [ErrClosed] after the shutdown began;
// [ErrOverloaded] when the queue is full and the policy is [QueueReject]; or the
// context's when the policy is [QueueBlock]. With an error the event was not taken.
func (m *Monitor) Submit(ctx context.Context, e *Event) error {
	if err := e.Validate(); err != nil {
		m.count(ctx, Errors, "invalid")
		return err
	}
	w := &m.work
	w.accepting.RLock()
	defer w.accepting.RUnlock()
	if w.closed() {
		return ErrClosed
	}
	if err := m.enqueue(ctx, e); err != nil {
		return err
	}
	m.record(ctx, Measurement{Metric: QueueDepth, Value: int64(len(w.queue))})
	return nil
}

func (m *Monitor) enqueue(ctx context.Context, e *Event) error {
	w := &m.work
	select {
	case w.queue <- e:
		return nil
	default:
	}
	switch w.policy {
	case QueueReject:
		m.count(ctx, EventsRejected, "")
		return fmt.Errorf("monitor: submit event: queue of %d: %w", cap(w.queue), ErrOverloaded)
	case QueueDropOldest:
		for {
			select {
			case w.queue <- e:
				return nil
			default:
			}
			select {
			case <-w.queue:
				m.count(ctx, EventsDropped, w.policy.String())
			default:
			}
		}
	case QueueBlock:
	}
	select {
	case w.queue <- e:
		return nil
	case <-w.closing:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("monitor: submit event: %w", ctx.Err())
	}
}

// batchSize is how many submitted events a worker takes at once, if so many
// wait.
const batchSize = 64

// The limits of the pauses between two attempts to handle a batch.
const minBackoff, maxBackoff = 100 * time.Millisecond, 5 * time.Second

// worker handles submitted events until there are none and will be none.
func (m *Monitor) worker(ctx context.Context, id int) {
	w := &m.work
	for {
		var batch []*Event
		select {
		case e := <-w.queue:
			batch = append(batch, e)
		case <-w.closing:
			w.lastSubmit()
			select {
			case e := <-w.queue:
				batch = append(batch, e)
			default:
				return
			}
		}
		for len(batch) < batchSize && len(w.queue) > 0 {
			select {
			case e := <-w.queue:
				batch = append(batch, e)
			default:
			}
		}
		m.record(ctx, Measurement{Metric: QueueDepth, Value: int64(len(w.queue))})
		if !m.handle(ctx, id, batch) {
			return
		}
	}
}

// lastSubmit waits for the calls of Submit that began before closing was closed.
func (w *work) lastSubmit() {
	w.accepting.Lock()
	defer w.accepting.Unlock() //nolint:gocritic // having held it is all
}

// handle takes events all the way, trying again for as long as it takes. It
// reports false when ctx ended before that; the events are in hand then.
func (m *Monitor) handle(ctx context.Context, id int, batch []*Event) bool {
	m.work.hold(id, batch)
	p := m.begin(ctx)
	defer m.end(p)
	for _, e := range batch {
		p.add(e)
	}
	for attempt := 1; ; attempt++ {
		p.run()
		var open []*Event
		var errs []error
		for i := range p.items {
			if it := &p.items[i]; it.stage != settled {
				open, errs = append(open, it.event), append(errs, it.failed)
			}
		}
		m.work.hold(id, open)
		if len(open) == 0 {
			break
		}
		m.record(ctx, Measurement{Metric: Retries, Value: int64(len(open))})
		wait := backoff.FullJitter(attempt, minBackoff, maxBackoff)
		m.config.Logger.LogAttrs(ctx, slog.LevelWarn, "events will be tried again",
			slog.Int("events", len(open)), slog.Int("attempt", attempt), slog.Duration("wait", wait),
			slog.Any("error", errors.Join(errs...)))
		if backoff.Wait(ctx, wait) != nil {
			return false
		}
	}
	for i := range p.items {
		if it := &p.items[i]; it.result.Err != nil {
			m.config.Logger.LogAttrs(ctx, slog.LevelError, "event could not be processed",
				slog.String("eventId", it.event.ID), slog.Any("error", it.result.Err))
		}
	}
	return true
}

func (w *work) hold(id int, events []*Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inHand[id] = events
}

// unhandled takes every accepted event that is not known to be handled.
func (w *work) unhandled() []*Event {
	w.mu.Lock()
	events := slices.Concat(w.inHand...)
	clear(w.inHand)
	w.mu.Unlock()
	for {
		select {
		case e := <-w.queue:
			events = append(events, e)
		default:
			return append(events, w.quarantine.take()...)
		}
	}
}

// An UnhandledError says that a shutdown gave up. The events were accepted and
// are not known to be handled; those that were in work at that moment may be.
type UnhandledError struct {
	Events []*Event
	// Err is why it gave up.
	Err error
}

func (e *UnhandledError) Error() string {
	return fmt.Sprintf("monitor: shut down: %d accepted events not handled: %v", len(e.Events), e.Err)
}

func (e *UnhandledError) Unwrap() error { return e.Err }
