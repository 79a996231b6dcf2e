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

// Run does the monitor's background work: it handles submitted events, tries
// those in the quarantine again and runs every port that is a [Runner]. It owns
// every goroutine of the library and returns when all have ended.
//
// Canceling ctx drains: no further event is accepted, the accepted ones are
// handled for up to [Config.DrainTimeout], and the ports are stopped in the
// reverse order of their start, each after a last flush. Run may be called
// once; afterwards the monitor is closed.
//
// The error joins those of the ports and, if events were left, an
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
	var workers, retrier sync.WaitGroup
	drained := make(chan struct{})
	for _, w := range m.workers {
		workers.Go(func() { w.run(background) })
	}
	retrier.Go(func() { m.retrier.retry(background, m.config.QuarantineInterval, drained) })

	select {
	case <-ctx.Done():
		defer time.AfterFunc(m.config.DrainTimeout, abort).Stop()
	case <-m.queue.closing:
	case <-ports.failed:
	}
	m.queue.close()
	workers.Wait()
	close(drained)
	retrier.Wait()
	m.pipeline.quarantine.setOpen(false)

	flushed := m.pipeline.raising.flush(background)
	return errors.Join(m.leftOver(background), flushed, ports.stop())
}

// Shutdown stops the monitor and waits. Nil means that every accepted event was
// handled and every buffer flushed, with or without [Monitor.Run]. When ctx
// ends first, what is under way is cut off; the error then is, or wraps, an
// [*UnhandledError] if events are left. Afterwards every call returns
// [ErrClosed].
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

// running is the state of the background work.
type running struct {
	mu      sync.Mutex
	started bool
	abort   context.CancelFunc // cuts off what is under way; set by start
	ended   chan struct{}      // closed when everything has ended
	result  error              // of Run, known when ended is closed
}

func (r *running) init() { r.ended = make(chan struct{}) }

// start reports whether the work had not been started yet.
func (r *running) start(abort context.CancelFunc) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started {
		return false
	}
	r.started, r.abort = true, abort
	return true
}

// active reports whether the work has begun and not ended.
func (r *running) active() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.ended:
		return false
	default:
		return r.started
	}
}

// end makes the result of the work known to every Shutdown.
func (r *running) end(err error) {
	r.result = err
	close(r.ended)
}

// leftOver returns an [UnhandledError] if there are events that were not handled
// before ctx ended.
func (m *Monitor) leftOver(ctx context.Context) error {
	var events []*Event
	for _, w := range slices.Concat(m.workers, []*worker{m.retrier}) {
		events = append(events, w.takeBack()...)
	}
	for d, ok := m.queue.next(); ok; d, ok = m.queue.next() {
		events = append(events, d.Event)
	}
	for _, it := range m.pipeline.quarantine.take() {
		events = append(events, it.Event)
	}
	if len(events) == 0 {
		return nil
	}
	return &UnhandledError{Events: events, Err: ctx.Err()}
}

// An UnhandledError says that a shutdown ended before all accepted events were
// handled. Those that were under way at that moment may be.
type UnhandledError struct {
	Events []*Event
	// Err is why it ended.
	Err error
}

func (e *UnhandledError) Error() string {
	return fmt.Sprintf("monitor: shut down: %d accepted events not handled: %v", len(e.Events), e.Err)
}

func (e *UnhandledError) Unwrap() error { return e.Err }

// A namedPort is a port and what it is to the monitor.
type namedPort struct {
	name string
	port any
}

// ports lists the ports that are set, each once, in the order in which they are
// started: those that others report to come first.
func (m *Monitor) ports() []namedPort {
	c := &m.config
	all := []namedPort{{"metrics", c.Metrics}, {"tracer", c.Tracer}, {"verifier", c.Verifier}}
	for _, d := range c.Detectors {
		all = append(all, namedPort{d.Name(), d})
	}
	all = append(all, namedPort{"alerts", c.Alerts})
	var ports []namedPort
	for _, p := range all {
		known := func(o namedPort) bool { return o.port == p.port }
		if p.port == nil || reflect.ValueOf(p.port).Comparable() && slices.ContainsFunc(ports, known) {
			continue
		}
		ports = append(ports, p)
	}
	return ports
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
