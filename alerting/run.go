package alerting

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// lastFlushTimeout limits what Run does after its context is canceled.
const lastFlushTimeout = 10 * time.Second

// Run flushes, delivers notifications and runs timers until ctx is canceled. It then
// flushes and delivers for up to ten more seconds. It returns an error if it is
// already running, if repeats could not be stored, or if a volatile store still has
// undelivered notifications. Another call of Run continues with both.
func (m *Manager) Run(ctx context.Context) error { return failed("run", m.run(ctx)) }

func (m *Manager) run(ctx context.Context) error {
	select {
	case m.running <- struct{}{}:
		defer func() { <-m.running }()
	default:
		return errors.New("already running")
	}
	// The work outlives ctx, so that no flush or delivery is interrupted.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()

	// Run also ends if the store's Run returns.
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
	context.AfterFunc(last, cancel) // interrupts what is still running
	m.repeats.activate(false)
	var errs []error
	if err := m.flusher.all(last); err != nil {
		errs = append(errs, fmt.Errorf("%d repeats not stored: %w", m.repeats.size(), err))
	}
	close(stopDispatch)
	<-dispatchDone
	errs = append(errs, m.dispatch.finish(last))
	cancel()
	return errors.Join(append(errs, <-storeDone)...)
}

// runStore runs the store until ctx is canceled, and converts a panic to an error.
func (m *Manager) runStore(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &monitor.PanicError{Where: "alert store", Value: v, Stack: debug.Stack()}
		}
	}()
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
		// If this fails, Health reports the error and the repeats stay buffered.
		_ = m.flusher.all(ctx)
	}
}
