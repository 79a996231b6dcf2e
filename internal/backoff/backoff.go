// Package backoff spreads the attempts of several callers over time.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// FullJitter returns how long to wait after so many failed attempts: a random
// time, never zero, up to a limit. The limit is first after one attempt, doubles
// with each further one and does not exceed most.
func FullJitter(attempts int, first, most time.Duration) time.Duration {
	limit := first
	for i := 1; i < attempts && limit < most; i++ {
		limit *= 2
	}
	return 1 + rand.N(min(limit, most))
}

// Wait waits for d, or until the context ends, whose error it then returns.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
