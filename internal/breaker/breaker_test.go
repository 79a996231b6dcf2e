package breaker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/internal/check"
)

var (
	errDown    = errors.New("down")
	errRefused = errors.New("refused")
	start      = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

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
		c.Fail(errDown, retryAfter, start.Add(c.now))
	}
}

// want checks how many of ten calls may begin.
func (c *clock) want(t *testing.T, allowed int, last error) {
	t.Helper()
	now := start.Add(c.now)
	check.Equal(t, "allowed", c.Allow(10, now), allowed)
	open, err := c.State(now)
	check.Equal(t, "open", open, allowed == 0)
	check.Equal(t, "last error", err, last)
}

func TestOpens(t *testing.T) {
	t.Parallel()
	c := newClock()
	c.want(t, 10, nil)
	c.fail(2, 0)
	c.want(t, 10, errDown)
	c.fail(1, 0)
	c.want(t, 0, errDown)
	c.now = time.Minute - 1
	c.want(t, 0, errDown)
	c.now = time.Minute
	c.want(t, 1, errDown)
	check.Equal(t, "allowed of none", c.Allow(0, start.Add(c.now)), 0)
	c.fail(1, 0)
	c.want(t, 0, errDown)
	c.now = 2 * time.Minute
	c.want(t, 1, errDown)
	c.Succeed()
	c.want(t, 10, nil)
	c.fail(2, 0)
	c.want(t, 10, errDown)
}

func TestSuccessBetweenFailures(t *testing.T) {
	t.Parallel()
	c := newClock()
	for range 5 {
		c.fail(2, 0)
		c.Succeed()
	}
	c.want(t, 10, nil)
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	c := newClock()
	for range 5 {
		c.fail(2, 0)
		c.Refuse(errRefused)
	}
	c.want(t, 10, errRefused)
	c.fail(3, 0)
	c.now = time.Minute
	c.Refuse(errRefused)
	c.want(t, 10, errRefused)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	c := newClock()
	c.fail(1, time.Second)
	c.want(t, 0, errDown)
	c.now = time.Second
	c.want(t, 10, errDown)
	c.fail(1, time.Hour)
	c.fail(1, 0) // a shorter pause does not cut the longer one
	c.now += time.Hour - 1
	c.want(t, 0, errDown)
	c.now++
	c.want(t, 1, errDown)
	c.fail(1, time.Second) // the pause is the longer of the two
	c.now += time.Minute - 1
	c.want(t, 0, errDown)
}
