package breaker_test

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/internal/check"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// clock is a breaker and the time since start.
type clock struct {
	breaker.Breaker
	now time.Duration
}

func newClock() *clock {
	return &clock{Breaker: breaker.Breaker{Threshold: 3, Pause: time.Minute}}
}

func (c *clock) fail(times int, retryAfter time.Duration) {
	for range times {
		c.Fail(retryAfter, start.Add(c.now))
	}
}

func (c *clock) want(t *testing.T, open bool) {
	t.Helper()
	check.Equal(t, "open", c.Open(start.Add(c.now)), open)
}

func TestOpens(t *testing.T) {
	t.Parallel()
	c := newClock()
	c.want(t, false)
	c.fail(2, 0)
	c.want(t, false)
	c.fail(1, 0)
	c.want(t, true)
	c.now = time.Minute - 1
	c.want(t, true)
	c.now = time.Minute
	c.want(t, false)
	c.fail(1, 0) // the first failure afterwards
	c.want(t, true)
	c.now = 2 * time.Minute
	c.want(t, false)
	c.Succeed()
	c.fail(2, 0)
	c.want(t, false)
}

func TestSuccessBetweenFailures(t *testing.T) {
	t.Parallel()
	c := newClock()
	for range 5 {
		c.fail(2, 0)
		c.Succeed()
	}
	c.want(t, false)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	c := newClock()
	c.fail(1, time.Second)
	c.want(t, true)
	c.now = time.Second
	c.want(t, false)
	c.fail(1, time.Hour)
	c.fail(1, 0) // a shorter pause does not cut the longer one
	c.now += time.Hour - 1
	c.want(t, true)
	c.now++
	c.want(t, false)
	c.fail(1, time.Second) // the pause is the longer of the two
	c.now += time.Minute - 1
	c.want(t, true)
}
