package monitor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// criticalFailures is how many failures in a row make a component CRITICAL. Fewer
// are a WARNING.
const criticalFailures = 3

// A HealthTracker derives the health of a component from the results of the calls
// to it. The zero value is ready to use. It is safe for concurrent use.
type HealthTracker struct {
	mu       sync.Mutex
	failures int   // in a row
	err      error // of the last of them
	success  time.Time
	failure  time.Time
	since    time.Time
}

// Note records the result of a call that was made with ctx. If ctx was canceled,
// Note ignores an error, because it says nothing about the component.
func (t *HealthTracker) Note(ctx context.Context, err error) {
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.success, t.failures, t.err, t.since = now, 0, nil, time.Time{}
		return
	}
	if t.failures == 0 {
		t.since = now
	}
	t.failure, t.err = now, err
	t.failures++
}

// Err returns the error of the last call, or nil if there is none.
func (t *HealthTracker) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Health returns the health of the component with the given name: OK if the last
// call succeeded or there was none, WARNING after one or two failures in a row,
// and CRITICAL after three or more.
func (t *HealthTracker) Health(name string) ComponentHealth {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := ComponentHealth{Name: name, LastSuccess: t.success, LastFailure: t.failure, Since: t.since}
	if t.failures == 0 {
		return c
	}
	c.Status = HealthWarning
	if t.failures >= criticalFailures {
		c.Status = HealthCritical
	}
	c.Message = fmt.Sprintf("failed: %v", t.err)
	if t.failures > 1 {
		c.Message = fmt.Sprintf("failed %d times in a row: %v", t.failures, t.err)
	}
	if t.success.IsZero() {
		c.Message = "never connected, " + c.Message
	}
	return c
}
