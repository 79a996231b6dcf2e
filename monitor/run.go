package monitor

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"
)

// Run does the monitor's background work: it handles submitted events, verifies
// undecided ones again and runs every port that is a [Runner]. It owns every
// goroutine of the library and returns when all have ended.
//
// Canceling ctx drains: no further event is accepted, the accepted ones are
// handled for up to [Config.DrainTimeout], and the ports are stopped in the
// reverse order of their start, each after a last flush. Run may be called
// once; afterwards the monitor is closed.
//
// The error joins those of the ports and, if events were left, an
// [*UnhandledError].
func (m *Monitor) Run(ctx context.Context) (err error) {
	w := &m.work
	// Draining goes on after ctx is canceled.
	background, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	if !w.start(abort) {
		return fmt.Errorf("monitor: run: %w", ErrClosed)
	}
	defer func() { w.end(err) }()
	w.quarantine.setOpen(true)

	ports := startPorts(background, m.runners())
	var workers, undecided sync.WaitGroup
	drained := make(chan struct{})
	for id := range m.config.Workers {
		workers.Go(func() { m.worker(background, id) })
	}
	undecided.Go(func() { m.quarantineWorker(background, m.config.Workers, drained) })

	select {
	case <-ctx.Done():
		defer time.AfterFunc(m.config.DrainTimeout, abort).Stop()
	case <-w.closing:
	case <-ports.failed:
	}
	w.close()
	workers.Wait()
	close(drained)
	undecided.Wait()
	w.quarantine.setOpen(false)

	folded := m.storeFolded(background)
	return errors.Join(w.leftOver(background), folded, ports.stop())
}

// Shutdown stops the monitor and waits. Nil means that every accepted event was
// handled and every buffer flushed, with or without [Monitor.Run]. When ctx
// ends first it gives up; the error then is, or wraps, an [*UnhandledError] if
// events are left. Afterwards every call returns [ErrClosed].
func (m *Monitor) Shutdown(ctx context.Context) error {
	w := &m.work
	w.close()
	if w.start(func() {}) {
		w.end(m.finish(ctx))
	}
	select {
	case <-w.ended:
		return w.result
	case <-ctx.Done():
	}
	w.abort()
	// The workers hand back what they have, unless a port ignores its context.
	select {
	case <-w.ended:
		return w.result
	case <-time.After(time.Second):
		return errors.Join(w.leftOver(ctx), fmt.Errorf("monitor: shut down: %w", ctx.Err()))
	}
}

// finish does what Run would have done, in the caller's goroutine.
func (m *Monitor) finish(ctx context.Context) error {
	w := &m.work
	m.worker(ctx, 0)
	err := m.storeFolded(ctx)
	over, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cancel()
	for _, r := range slices.Backward(m.runners()) {
		err = errors.Join(err, runPort(over, r))
	}
	return errors.Join(w.leftOver(ctx), err)
}

// storeFolded stores the occurrences of failed verification that are waiting
// for a later one.
func (m *Monitor) storeFolded(ctx context.Context) error {
	left := m.folding.left()
	if len(left) == 0 {
		return nil
	}
	if _, err := m.store.StoreOccurrences(ctx, left); err != nil {
		return fmt.Errorf("monitor: store folded alerts: %w", err)
	}
	return nil
}

// start reports whether the monitor's work had not been started yet.
func (w *work) start(abort context.CancelFunc) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started {
		return false
	}
	w.started, w.abort = true, abort
	return true
}

// end makes the result of the work known to every Shutdown.
func (w *work) end(err error) {
	w.result = err
	close(w.ended)
}

// leftOver returns an [UnhandledError] if there are events that were not
// handled before ctx ended.
func (w *work) leftOver(ctx context.Context) error {
	if events := w.unhandled(); len(events) > 0 {
		return &UnhandledError{Events: events, Err: ctx.Err()}
	}
	return nil
}

// ports lists the ports that are set, each once, in the order in which they are
// started: those that others report to come first.
func (m *Monitor) ports() []any {
	c := &m.config
	all := []any{c.Metrics, c.Tracer, c.Verifier}
	for _, d := range c.Detectors {
		all = append(all, d)
	}
	all = append(all, c.Alerts)
	var ports []any
	for _, port := range all {
		if port == nil || reflect.TypeOf(port).Comparable() && slices.Contains(ports, port) {
			continue
		}
		ports = append(ports, port)
	}
	return ports
}

// runners lists the ports that have background work.
func (m *Monitor) runners() []Runner {
	var runners []Runner
	for _, port := range m.ports() {
		if r, ok := port.(Runner); ok {
			runners = append(runners, r)
		}
	}
	return runners
}

// runningPorts are ports at their background work.
type runningPorts struct {
	cancels []context.CancelFunc
	results []chan error
	failed  chan struct{} // closed when one ended by itself
}

func startPorts(ctx context.Context, runners []Runner) *runningPorts {
	ports := &runningPorts{failed: make(chan struct{})}
	fail := sync.OnceFunc(func() { close(ports.failed) })
	for _, r := range runners {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // stop calls it
		result := make(chan error, 1)
		ports.cancels = append(ports.cancels, cancel)
		ports.results = append(ports.results, result)
		go func() {
			err := runPort(own, r)
			if own.Err() == nil {
				fail()
			}
			result <- err
		}()
	}
	return ports
}

// stop ends the ports one by one, the last started first.
func (p *runningPorts) stop() error {
	var errs []error
	for i, cancel := range slices.Backward(p.cancels) {
		cancel()
		errs = append(errs, <-p.results[i])
	}
	return errors.Join(errs...)
}

func runPort(ctx context.Context, r Runner) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = recovered(fmt.Sprintf("runner %T", r), v)
		}
	}()
	if err := r.Run(ctx); err != nil {
		return fmt.Errorf("monitor: run %T: %w", r, err)
	}
	if ctx.Err() == nil {
		return fmt.Errorf("monitor: run %T: ended by itself", r)
	}
	return nil
}
