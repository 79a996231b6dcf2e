package backoff_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/backoff"
	"github.com/auditwarden/auditwarden/internal/check"
)

func TestFullJitter(t *testing.T) {
	t.Parallel()
	const first, most = 100 * time.Millisecond, 5 * time.Second
	for attempts, limit := range map[int]time.Duration{
		math.MinInt: first, 0: first, 1: first, 2: 2 * first, 3: 4 * first, 6: 32 * first, 7: most, 8: most, math.MaxInt: most,
	} {
		var shortest, longest time.Duration = math.MaxInt64, 0
		for range 1000 {
			d := backoff.FullJitter(attempts, first, most)
			shortest, longest = min(shortest, d), max(longest, d)
		}
		if shortest <= 0 || shortest > limit/10 || longest > limit || longest < limit*9/10 {
			t.Errorf("after %d attempts waits are between %v and %v, want them spread up to %v", attempts, shortest, longest, limit)
		}
	}
	check.Equal(t, "shortest wait", backoff.FullJitter(1, 1, 1), 1)
	check.Equal(t, "wait with a first above the most", backoff.FullJitter(1, time.Hour, 1), 1)
}

func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		check.NoError(t, "wait", backoff.Wait(t.Context(), time.Second))
		check.Equal(t, "waited", time.Since(began), time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		check.ErrorIs(t, "wait", backoff.Wait(ctx, time.Hour), context.DeadlineExceeded)
		check.Equal(t, "waited", time.Since(began), time.Second+time.Minute)
	})
}
