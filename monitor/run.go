package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
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
	background, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	if !m.running.start(abort) {
		return fmt.Errorf("monitor: run: %w", ErrClosed)
	}
	defer func() { m.running.end(err) }()
	m.pipeline.quarantine.setOpen(true)

	ports := startPorts(background, m.runners())
	var workers, retriers sync.WaitGroup
	drained := make(chan struct{})
	for _, w := range m.workers {
		workers.Go(func() { w.run(background) })
	}
	for i, s := range m.pipeline.quarantine.shelves() {
		retriers.Go(func() { m.retriers[i].retry(background, s, m.config.QuarantineInterval, drained) })
	}

	select {
	case <-ctx.Done():
		defer time.AfterFunc(m.config.DrainTimeout, abort).Stop()
	case <-m.queue.closing:
	case <-ports.failed:
	}
	m.queue.close()
	workers.Wait()
	close(drained)
	retriers.Wait()
	m.pipeline.quarantine.setOpen(false)

	flushed := m.pipeline.raising.flush(background)
	return errors.Join(m.leftOver(background), flushed, ports.stop())
}

// Shutdown stops the monitor and waits until it has stopped, whether [Monitor.Run]
// is active or not. Nil means that every accepted event was handled and every
// buffer flushed. If ctx ends first, Shutdown cancels the work in progress; the
// error is or wraps an [*UnhandledError] if accepted events were not handled.
// After Shutdown, Process, ProcessBatch, Submit and Run return [ErrClosed].
func (m *Monitor) Shutdown(ctx context.Context) error {
	m.queue.close()
	if m.running.start(func() {}) {
		m.running.end(m.finish(ctx))
	}
	select {
	case <-m.running.ended:
		return m.running.result
	case <-ctx.Done():
	}
	m.running.abort()
	// The workers hand back what they have, unless a port ignores its context.
	select {
	case <-m.running.ended:
		return m.running.result
	case <-time.After(time.Second):
		return errors.Join(m.leftOver(ctx), fmt.Errorf("monitor: shut down: %w", ctx.Err()))
	}
}

// finish does what Run would have done, in the caller's goroutine.
func (m *Monitor) finish(ctx context.Context) error {
	m.workers[0].run(ctx)
	err := m.pipeline.raising.flush(ctx)
	over, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cancel()
	for _, r := range slices.Backward(m.runners()) {
		err = errors.Join(err, runPort(over, r))
	}
	return errors.Join(m.leftOver(ctx), err)
}

// leftOver returns an [UnhandledError] if there are events that were not handled
// before ctx ended.
func (m *Monitor) leftOver(ctx context.Context) error {
	var events []*Event
	for _, w := range slices.Concat(m.workers, m.retriers) {
		events = append(events, w.takeBack()...)
	}
	events = slices.Concat(events, m.queue.rest(), m.pipeline.quarantine.rest())
	if len(events) == 0 {
		return nil
	}
	return &UnhandledError{Events: events, Err: ctx.Err()}
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
