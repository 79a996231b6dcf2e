package alerting

import (
	"sync"
	"time"
)

const (
	breakerThreshold = 5                // failures in a row that open a breaker
	breakerPause     = 30 * time.Second // until it tries again
	maxRetryAfter    = time.Hour        // longer pauses than this are not believed
)

// A breaker leaves a destination alone that fails again and again, or that asked
// for it.
type breaker struct {
	mu       sync.Mutex
	failures int // in a row
	until    time.Time
	last     error // the last failure, until there is a success
}

// allow returns how many of n deliveries may begin: none while the breaker is
// open, and one to find out whether it may be closed.
func (b *breaker) allow(n int, now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case now.Before(b.until):
		return 0
	case b.failures >= breakerThreshold:
		return min(n, 1)
	}
	return n
}

// note counts what became of a delivery.
func (b *breaker) note(err error, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.failures, b.last = 0, nil
		return
	}
	b.last = err
	permanent, pause := details(err)
	if permanent {
		b.failures = 0 // the destination answers
		return
	}
	b.failures++
	if b.failures >= breakerThreshold {
		pause = max(pause, breakerPause)
	}
	if until := now.Add(pause); pause > 0 && until.After(b.until) {
		b.until = until
	}
}

// state reports whether the breaker is open, and returns the last failure if it was
// not followed by a success.
func (b *breaker) state(now time.Time) (open bool, last error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.until), b.last
}
