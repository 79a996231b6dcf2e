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

// want checks how many of ten calls may begin.
func (c *clock) want(t *testing.T, allowed int) {
	t.Helper()
	now := start.Add(c.now)
	check.Equal(t, "allowed", c.Allow(10, now), allowed)
	check.Equal(t, "open", c.Open(now), allowed == 0)
}

func TestOpens(t *testing.T) {
	t.Parallel()
	c := newClock()
	c.want(t, 10)
	c.fail(2, 0)
	c.want(t, 10)
	c.fail(1, 0)
	c.want(t, 0)
	c.now = time.Minute - 1
	c.want(t, 0)
	c.now = time.Minute
	c.want(t, 1)
	check.Equal(t, "allowed of none", c.Allow(0, start.Add(c.now)), 0)
	c.fail(1, 0)
	c.want(t, 0)
	c.now = 2 * time.Minute
	c.want(t, 1)
	c.Succeed()
	c.want(t, 10)
	c.fail(2, 0)
	c.want(t, 10)
}

func TestSuccessBetweenFailures(t *testing.T) {
	t.Parallel()
	c := newClock()
	for range 5 {
		c.fail(2, 0)
		c.Succeed()
	}
	c.want(t, 10)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	c := newClock()
	c.fail(1, time.Second)
	c.want(t, 0)
	c.now = time.Second
	c.want(t, 10)
	c.fail(1, time.Hour)
	c.fail(1, 0) // a shorter pause does not cut the longer one
	c.now += time.Hour - 1
	c.want(t, 0)
	c.now++
	c.want(t, 1)
	c.fail(1, time.Second) // the pause is the longer of the two
	c.now += time.Minute - 1
	c.want(t, 0)
}
