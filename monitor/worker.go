package monitor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/internal/backoff"
)

const (
	// batchSize is how many events a worker takes at once, if so many wait.
	batchSize = 64
	// The time between two attempts at events that all fail.
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
	// maxHeld is how many events that all fail a worker keeps at most, while it looks
	// for one that does not.
	maxHeld = 2 * batchSize
)

// A worker handles submitted events, a batch at a time, until each is settled.
//
// When a batch fails, its events are tried one by one. If some of them succeed,
// those that do not are at fault themselves: they go to the quarantine, and
// nobody waits for them. If none does, something is down that all need: the
// worker keeps them, in their order, and tries again after a while. Meanwhile the
// next event of another organization tells whether it is.
type worker struct {
	queue    *queue
	pipeline *pipeline
	logger   *slog.Logger

	mu      sync.Mutex
	working []*Event // accepted, and not known to be handled
}

// run handles events until there are none and will be none, or until ctx ends.
func (w *worker) run(ctx context.Context) {
	b := w.pipeline.begin()
	defer w.pipeline.end(b)
	var again time.Time // when to try those again that are held
	for failures := 0; ; {
		held := len(b.items)
		due, ok := w.fill(ctx, b, again)
		if !ok {
			return
		}
		taken := len(b.items)
		if due {
			w.runEach(ctx, b, b.items)
		} else {
			w.pipeline.run(ctx, b, b.items[held:])
			if len(b.items) > held+1 {
				w.runEach(ctx, b, b.items[held:])
			}
		}
		switch succeeded := w.finish(ctx, b); {
		case succeeded:
			failures = 0
			b.remove(w.pipeline.quarantine.keep)
			again = time.Now().Add(minBackoff)
		case len(b.items) == 0:
			failures = 0
		case due || held == 0:
			failures++
			again = time.Now().Add(backoff.FullJitter(failures, minBackoff, maxBackoff))
		}
		w.hold(b)
		w.queue.done(taken - len(b.items))
	}
}

// fill takes events up to a full batch. If none are held, it waits for some.
// Otherwise it waits until it is time to try those again, and reports that they are
// due, unless an event tells sooner whether they are at fault: one of an organization
// that none of them is from or, if only one is held, the next to arrive. It reports
// false when there is nothing to do any more.
func (w *worker) fill(ctx context.Context, b *batch, again time.Time) (due, ok bool) {
	held := len(b.items)
	places := batchSize
	var alike map[laneName]bool
	var timer <-chan time.Time
	if held > 0 {
		t := time.NewTimer(time.Until(again))
		defer t.Stop()
		timer = t.C
	}
	if held > 1 {
		places, alike = 1, w.queue.lanesOf(b)
	}
	for ctx.Err() == nil {
		closed := w.queue.closed()
		var arrived <-chan struct{}
		if held < maxHeld {
			arrived = w.queue.take(b, &w.pipeline.sequence, places, alike)
		}
		if len(b.items) > held {
			w.filled(ctx, b, held)
			return false, true
		}
		closing := w.queue.closing
		switch {
		case held > 0:
			closing = nil
		case closed:
			return false, false
		}
		select {
		case <-arrived:
		case <-closing:
		case <-timer:
			if held < maxHeld {
				w.queue.take(b, &w.pipeline.sequence, max(1, batchSize-held), nil)
			}
			w.filled(ctx, b, held)
			return true, true
		case <-ctx.Done():
		}
	}
	return false, false
}

// filled prepares the events that were taken after those that are held.
func (w *worker) filled(ctx context.Context, b *batch, held int) {
	active := w.pipeline.quarantine.active()
	for i := range b.items[held:] {
		it := &b.items[held+i]
		it.submitted, it.aside = true, active
	}
	w.hold(b)
	w.queue.measure(ctx)
}

// runEach tries the events that are not settled one by one.
func (w *worker) runEach(ctx context.Context, b *batch, items []item) {
	var errs []error
	for i := range items {
		it := &items[i]
		if it.stage == settled {
			continue
		}
		it.aside = false
		w.pipeline.metrics.count(ctx, Retries, "")
		w.pipeline.run(ctx, b, items[i:i+1])
		if it.stage != settled {
			errs = append(errs, it.failed)
		}
	}
	if len(errs) > 0 {
		w.logger.LogAttrs(ctx, slog.LevelWarn, "events will be tried again",
			slog.Int("events", len(errs)), slog.Any("error", errors.Join(errs...)))
	}
}

// finish ends the way of the events that are settled, and reports whether some were
// handled successfully. Those that cannot be verified and find no room in the
// quarantine are given up.
func (w *worker) finish(ctx context.Context, b *batch) (succeeded bool) {
	for i := range b.items {
		if it := &b.items[i]; it.stage != settled && w.pipeline.giveUp(it, time.Now()) {
			w.logger.LogAttrs(ctx, slog.LevelError, "event could not be verified and is given up", append(named(it), slog.Any("error", it.failed))...)
			w.pipeline.run(ctx, b, b.items[i:i+1])
		}
	}
	b.remove(func(it *item) bool {
		succeeded = succeeded || it.stage == settled && it.result.State == StateDone
		return w.finished(ctx, it)
	})
	return succeeded
}

// finished ends the way of an event that is settled.
func (w *worker) finished(ctx context.Context, it *item) bool {
	if it.stage != settled {
		return false
	}
	if it.result.Err != nil {
		w.logger.LogAttrs(ctx, slog.LevelError, "event could not be processed", append(named(it), slog.Any("error", it.result.Err))...)
	}
	w.pipeline.admission.release(it)
	return true
}

func named(it *item) []slog.Attr {
	return []slog.Attr{slog.String("eventId", it.Event.ID), slog.String("organization", it.Event.OrganizationID)}
}

// retry tries events in the quarantine again at every interval. When drained is
// closed it goes on until the quarantine is empty.
func (w *worker) retry(ctx context.Context, s *shelf, interval time.Duration, drained <-chan struct{}) {
	q := &w.pipeline.quarantine
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for last := false; !last || q.events.Load() > 0; {
		select {
		case <-tick.C:
		case <-drained:
			drained, last = nil, true
		case <-ctx.Done():
			return
		}
		w.retryAll(ctx, s)
		w.pipeline.metrics.record(ctx, QuarantineDepth, q.events.Load(), "")
	}
}

// retryAll tries the events on a shelf once, an organization's in turn with others'.
// When an attempt fails and took long, those that wait for the same are left alone.
func (w *worker) retryAll(ctx context.Context, s *shelf) {
	q := &w.pipeline.quarantine
	b := w.pipeline.begin()
	defer w.pipeline.end(b)
	failed, lasting := 0, map[laneName]bool{}
	var last error
	s.round++
	for ctx.Err() == nil {
		k, cause := q.next(s, lasting)
		if k == nil {
			break
		}
		began := time.Now()
		b.items = append(b.items, k.item)
		w.hold(b)
		w.pipeline.metrics.count(ctx, Retries, "")
		w.pipeline.run(ctx, b, b.items)
		k.item = b.items[0]
		clear(b.items)
		b.items = b.items[:0]
		w.hold(b)
		if !w.finished(ctx, &k.item) {
			failed, last = failed+1, k.failed
			if time.Since(began) >= slowVerification {
				lasting[cause] = true
			}
		}
		q.putBack(s, k)
	}
	if failed > 0 {
		w.logger.LogAttrs(ctx, slog.LevelWarn, "events will be tried again",
			slog.Int("events", failed), slog.Any("error", last))
	}
}

// hold records which events the worker is working on.
func (w *worker) hold(b *batch) {
	var events []*Event
	for i := range b.items {
		events = append(events, b.items[i].Event)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.working = events
}

// takeBack returns the events that the worker is working on, once.
func (w *worker) takeBack() []*Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.working
	w.working = nil
	return events
}
