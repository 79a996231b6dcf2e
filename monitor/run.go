package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// aggregateInterval is how long aggregated occurrences wait for the next one.
	aggregateInterval = time.Second
	// lastFlushTimeout limits the last flush of them.
	lastFlushTimeout = 10 * time.Second
)

// Run does the background work of the monitor: it handles submitted events, tries
// quarantined events again and runs every port that is a [Runner]. It owns all
// goroutines of the library and returns when they have ended.
//
// When ctx is canceled, Run drains the monitor: it accepts no more events, handles
// the accepted ones for up to [Config.DrainTimeout], and then stops the ports in
// reverse order, each after a last flush. Run can be called only once. When it
// returns, the monitor is closed.
//
// If a port stops early, Run shuts down in the same way. The error joins the
// errors of the ports and, if accepted events were not handled, an
// [*UnhandledError].
func (m *Monitor) Run(ctx context.Context) (err error) {
	// Draining goes on after ctx is canceled.
	background, abort := context.WithCancelCause(context.WithoutCancel(ctx))
	defer abort(nil)
	if !m.running.start(abort) {
		return fmt.Errorf("monitor: run: called before, or %w", ErrClosed)
	}
	defer func() { m.running.end(err) }()
	m.pipeline.quarantine.setOpen(true)

	ports := startPorts(background, m.runners())
	var workers, others sync.WaitGroup
	drained := make(chan struct{})
	for _, w := range m.workers {
		workers.Go(func() { w.run(background) })
	}
	for i, s := range m.pipeline.quarantine.shelves() {
		others.Go(func() { m.retriers[i].retry(background, s, m.config.QuarantineInterval, drained) })
	}
	others.Go(func() { m.flushAggregates(background, drained) })

	select {
	case <-ctx.Done():
		defer m.limitDrain(abort)()
	case <-ports.failed:
		defer m.limitDrain(abort)()
	case <-m.queue.closing:
	}
	m.close()
	workers.Wait()
	inProgress := m.callsInProgress(background)
	close(drained)
	others.Wait()
	m.pipeline.quarantine.setOpen(false)

	flushed := m.lastFlush(context.WithoutCancel(ctx))
	return errors.Join(m.leftOver(context.Cause(background)), inProgress, flushed, ports.stop())
}

// limitDrain cuts the drain off after [Config.DrainTimeout], unless the function
// that it returns is called before.
func (m *Monitor) limitDrain(abort context.CancelCauseFunc) (stop func()) {
	timeout := m.config.DrainTimeout
	timer := time.AfterFunc(timeout, func() {
		abort(fmt.Errorf("drain timeout of %s has passed: %w", timeout, context.DeadlineExceeded))
	})
	return func() { timer.Stop() }
}

// Shutdown stops the monitor and waits until it has stopped, whether [Monitor.Run]
// is active or not. It waits for calls of Process and ProcessBatch that are in
// progress, so it must not be called from within one. Nil means that every accepted
// event was handled and every buffer flushed. If ctx ends first, Shutdown cancels the
// work in progress; the error matches that of ctx, and is or wraps an
// [*UnhandledError] if accepted events were not handled. After Shutdown, Process,
// ProcessBatch, Submit and Run return [ErrClosed].
func (m *Monitor) Shutdown(ctx context.Context) error {
	ctx = orBackground(ctx)
	m.close()
	if m.running.start(func(error) {}) {
		m.running.end(m.finish(ctx))
	}
	select {
	case <-m.running.ended:
		return m.running.result
	case <-ctx.Done():
	}
	m.running.abort(ctx.Err())
	// The workers hand back what they have, unless a port ignores its context.
	select {
	case <-m.running.ended:
		return m.running.result
	case <-time.After(time.Second):
		return errors.Join(m.leftOver(ctx.Err()), fmt.Errorf("monitor: shut down: %w", ctx.Err()))
	}
}

// close makes the monitor accept no more events.
func (m *Monitor) close() {
	m.pipeline.calls.close()
	m.queue.close()
}

// finish does what Run would have done, in the caller's goroutine.
func (m *Monitor) finish(ctx context.Context) error {
	m.workers[0].run(ctx)
	err := m.callsInProgress(ctx)
	err = errors.Join(err, m.lastFlush(ctx))
	over, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cancel()
	for _, r := range slices.Backward(m.runners()) {
		err = errors.Join(err, runPort(over, r))
	}
	return errors.Join(m.leftOver(ctx.Err()), err)
}

// callsInProgress waits for calls that have begun before the shutdown: what they
// count and find is part of the last flush. The error says that ctx ended first.
func (m *Monitor) callsInProgress(ctx context.Context) error {
	if n := m.pipeline.calls.wait(ctx); n > 0 {
		return fmt.Errorf("monitor: shut down: %d calls are in progress: %w", n, context.Cause(ctx))
	}
	return nil
}

// lastFlush stores what is aggregated. After it nothing is.
func (m *Monitor) lastFlush(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, lastFlushTimeout)
	defer cancel()
	m.pipeline.raising.limit.close()
	return m.pipeline.raising.flush(limited)
}

// flushAggregates stores what the rate limit has aggregated at every interval, as
// there may be no next event that it could be added to.
func (m *Monitor) flushAggregates(ctx context.Context, drained <-chan struct{}) {
	tick := time.NewTicker(aggregateInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-drained:
			return
		case <-ctx.Done():
			return
		}
		if err := m.pipeline.raising.flush(ctx); err != nil {
			m.config.Logger.LogAttrs(ctx, slog.LevelWarn, "alerts about failed verification will be stored later", slog.Any("error", err))
		}
	}
}

// leftOver returns an [UnhandledError] if there are events that were not handled.
func (m *Monitor) leftOver(reason error) error {
	var events []*Event
	for _, w := range slices.Concat(m.workers, m.retriers) {
		events = append(events, w.takeBack()...)
	}
	events = slices.Concat(events, m.queue.rest(), m.pipeline.quarantine.rest())
	if len(events) == 0 {
		return nil
	}
	return &UnhandledError{Events: events, Err: reason}
}

// runners lists the ports that have background work.
func (m *Monitor) runners() []Runner {
	var runners []Runner
	for _, p := range m.ports() {
		if r, ok := p.port.(Runner); ok {
			runners = append(runners, r)
		}
	}
	return runners
}
