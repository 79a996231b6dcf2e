package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// running is the state of the background work.
type running struct {
	mu      sync.Mutex
	started bool
	abort   context.CancelCauseFunc // cuts off what is under way; set by start
	ended   chan struct{}           // closed when everything has ended
	result  error                   // of Run, known when ended is closed
}

func (r *running) init() { r.ended = make(chan struct{}) }

// start reports whether the work had not been started yet.
func (r *running) start(abort context.CancelCauseFunc) bool {
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
		return fmt.Errorf("monitor: run %T: returned before it was stopped", r)
	}
	return nil
}

// An UnhandledError returns the accepted events that were not handled before the
// shutdown ended. An event that was in progress then may have been handled.
type UnhandledError struct {
	Events []*Event
	// Err is the error of the context that Shutdown was called with, or says that
	// [Config.DrainTimeout] has passed and matches [context.DeadlineExceeded].
	Err error
}

func (e *UnhandledError) Error() string {
	return fmt.Sprintf("monitor: shut down: %d accepted events not handled: %v", len(e.Events), e.Err)
}

func (e *UnhandledError) Unwrap() error { return e.Err }
