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
)

// A worker handles submitted events, a batch at a time, until each is settled.
//
// When a batch fails, its events are tried one by one. If some of them succeed,
// those that do not are at fault themselves: they go to the quarantine, and
// nobody waits for them. If none does, something is down that all need: the
// worker keeps them, in their order, and tries again after a while.
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
	for failures := 0; w.fill(ctx, b, failures); {
		taken := len(b.items)
		if failures == 0 {
			w.pipeline.run(ctx, b, b.items)
		}
		if failures > 0 || taken > 1 {
			w.runEach(ctx, b)
		}
		b.remove(func(it *item) bool { return w.finished(ctx, it) })
		if failures++; len(b.items) < taken {
			failures = 0
			b.remove(w.pipeline.quarantine.keep)
		}
		w.hold(b)
	}
}

// fill takes events up to a full batch. It waits for the first, or, if there are
// some that failed, until it is time to try these again. It reports false when
// there is nothing to do any more.
func (w *worker) fill(ctx context.Context, b *batch, failures int) bool {
	if failures == 0 && len(b.items) == 0 {
		select {
		case d := <-w.queue.waiting:
			b.add(d, &w.pipeline.sequence)
		case <-w.queue.closing:
			d, ok := w.queue.last()
			if !ok {
				return false
			}
			b.add(d, &w.pipeline.sequence)
		}
	} else if !w.wait(ctx, b, failures) {
		return false
	}
	for len(b.items) < batchSize {
		d, ok := w.queue.next()
		if !ok {
			break
		}
		b.add(d, &w.pipeline.sequence)
	}
	w.hold(b)
	w.queue.measure(ctx)
	return ctx.Err() == nil
}

// wait waits between two attempts. An event that failed alone may be at fault
// itself, so that the next one to arrive ends the wait: it tells.
func (w *worker) wait(ctx context.Context, b *batch, failures int) bool {
	arrived := w.queue.waiting
	if len(b.items) > 1 {
		arrived = nil
	}
	timer := time.NewTimer(backoff.FullJitter(failures, minBackoff, maxBackoff))
	defer timer.Stop()
	select {
	case <-timer.C:
	case d := <-arrived:
		b.add(d, &w.pipeline.sequence)
	case <-ctx.Done():
		return false
	}
	return true
}

// runEach tries the events that are not settled one by one.
func (w *worker) runEach(ctx context.Context, b *batch) {
	var errs []error
	for i := range b.items {
		it := &b.items[i]
		if it.stage == settled {
			continue
		}
		w.pipeline.metrics.count(ctx, Retries, "")
		w.pipeline.run(ctx, b, b.items[i:i+1])
		if it.stage != settled {
			errs = append(errs, it.failed)
		}
	}
	if len(errs) > 0 {
		w.logger.LogAttrs(ctx, slog.LevelWarn, "events will be tried again",
			slog.Int("events", len(errs)), slog.Any("error", errors.Join(errs...)))
	}
}

// finished ends the way of an event that is settled.
func (w *worker) finished(ctx context.Context, it *item) bool {
	if it.stage != settled {
		return false
	}
	if it.result.Err != nil {
		w.logger.LogAttrs(ctx, slog.LevelError, "event could not be processed",
			slog.String("eventId", it.Event.ID), slog.Any("error", it.result.Err))
	}
	w.pipeline.admission.release(it)
	return true
}

// retry tries the events in the quarantine again at every interval. When drained
// is closed it goes on until the quarantine is empty.
func (w *worker) retry(ctx context.Context, interval time.Duration, drained <-chan struct{}) {
	q := &w.pipeline.quarantine
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for last := false; !last || q.depth() > 0; {
		select {
		case <-tick.C:
		case <-drained:
			drained, last = nil, true
		case <-ctx.Done():
			return
		}
		b := w.pipeline.begin()
		b.items = append(b.items, q.take()...)
		w.hold(b)
		w.runEach(ctx, b)
		b.remove(func(it *item) bool { return w.finished(ctx, it) })
		q.putBack(b.items)
		b.remove(func(*item) bool { return true })
		w.hold(b)
		w.pipeline.end(b)
		w.pipeline.metrics.record(ctx, QuarantineDepth, int64(q.depth()), "")
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
