package alerting

import (
	"context"
	"errors"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// lastFlushTimeout bounds what Run does after its context was canceled.
const lastFlushTimeout = 10 * time.Second

// Run flushes, delivers and runs timers until ctx is canceled. Then it flushes once
// more and delivers what is due, for up to ten seconds, and returns an error if
// something could not be stored, or waits for delivery in a store that forgets it.
// Both are still there for another Run.
func (m *Manager) Run(ctx context.Context) error { return failed("run", m.run(ctx)) }

func (m *Manager) run(ctx context.Context) error {
	select {
	case m.running <- struct{}{}:
		defer func() { <-m.running }()
	default:
		return errors.New("it is running")
	}
	// The work outlives ctx, so that nothing is cut off in the middle.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()

	// If the store ends by itself the manager ends.
	ctx, stop := context.WithCancel(ctx)
	storeDone := make(chan error, 1)
	go func() {
		defer stop()
		storeDone <- m.runStore(work)
	}()
	stopDispatch, dispatchDone := make(chan struct{}), make(chan struct{})
	m.dispatch.start()
	go func() {
		defer close(dispatchDone)
		m.dispatch.run(work, stopDispatch)
	}()

	m.flushUntil(ctx)

	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), lastFlushTimeout)
	defer cancelLast()
	context.AfterFunc(last, cancel) // cuts off what is under way
	m.repeats.activate(false)
	errs := []error{m.flush(last)}
	close(stopDispatch)
	<-dispatchDone
	errs = append(errs, m.dispatch.finish(last))
	cancel()
	return errors.Join(append(errs, <-storeDone)...)
}

// runStore runs the store until ctx is canceled.
func (m *Manager) runStore(ctx context.Context) error {
	if r, ok := m.store.(monitor.Runner); ok {
		return r.Run(ctx)
	}
	<-ctx.Done()
	return nil
}

// flushUntil flushes every interval until ctx is canceled.
func (m *Manager) flushUntil(ctx context.Context) {
	var tick <-chan time.Time
	if interval := m.options.CoalesceInterval; interval > 0 {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		tick = ticker.C
		m.repeats.activate(true)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			m.repeats.age()
		case <-m.repeats.full:
		}
		// A failure is kept for Health, and the repeats for the next time.
		_ = m.flush(ctx)
	}
}
