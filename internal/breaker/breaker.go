// Package breaker has a circuit breaker: it leaves a dependency alone that does
// not work, and finds out when it works again.
package breaker

import (
	"sync"
	"time"
)

// A Breaker is open, which means that its dependency must not be called, for a time
// after so many failures in a row. When the time is over, one more failure opens it
// again. It is safe for concurrent use once Threshold and Pause are set, which must be
// positive.
type Breaker struct {
	// Threshold is the number of failures in a row that opens the breaker.
	Threshold int
	// Pause is how long it stays open after a failure.
	Pause time.Duration

	mu       sync.Mutex
	failures int // in a row
	until    time.Time
}

// Open reports whether the dependency must not be called.
func (b *Breaker) Open(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.until)
}

// Succeed notes a call that succeeded, or that the dependency refused for a reason
// that says nothing about other calls: it works.
func (b *Breaker) Succeed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = 0
}

// Fail notes a call that failed. The breaker stays open for at least retryAfter,
// which is what the dependency asked for, or zero.
func (b *Breaker) Fail(retryAfter time.Duration, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	if b.failures >= b.Threshold {
		retryAfter = max(retryAfter, b.Pause)
	}
	if until := now.Add(retryAfter); retryAfter > 0 && until.After(b.until) {
		b.until = until
	}
}
