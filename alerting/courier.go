package alerting

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/internal/backoff"
	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/monitor"
)

// How often a delivery is tried: after a random time below a limit that doubles,
// from 1 second to 5 minutes, until the notification is too old.
const (
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
	// After so many failures in a row, deliveries pause for so long.
	breakerThreshold = 5
	breakerPause     = 30 * time.Second
	maxRetryAfter    = time.Hour // longer pauses than this are not believed
	// leaseMargin is how much longer than a delivery a claim lasts, so that there
	// is time to settle it, which may take up to settleTimeout.
	leaseMargin   = 20 * time.Second
	settleTimeout = 5 * time.Second
	maxFailure    = 1000 // bytes of a failure that are kept
)

// A courier delivers the notifications of one route.
type courier struct {
	Route
	outbox      Outbox
	metrics     monitor.MetricsCollector
	giveUpAfter time.Duration
	breaker     breaker.Breaker
	deliveries  monitor.HealthTracker
	calls       monitor.HealthTracker // to the outbox
	turn        chan struct{}         // holds a token while something is under way
	wake        chan struct{}         // holds a token if there may be more to deliver
}

// run delivers what becomes due until stop is closed.
func (c *courier) run(ctx context.Context, stop <-chan struct{}, poll time.Duration) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-c.wake:
		case <-ticker.C:
		}
		c.deliverDue(ctx, stop)
	}
}

// deliverDue delivers until nothing is due, the breaker is open, the outbox fails
// or stop is closed. Of several calls one delivers at a time.
func (c *courier) deliverDue(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		n, err := c.deliver(ctx)
		c.calls.Note(ctx, err)
		if n == 0 || err != nil {
			return
		}
	}
}

// deliver delivers as many notifications as may be under way at a time, and
// returns how many that were.
func (c *courier) deliver(ctx context.Context) (int, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return 0, nil
	}
	limit := c.breaker.Allow(c.Concurrency, time.Now())
	if limit == 0 {
		return 0, nil
	}
	claimed, err := c.outbox.ClaimNotifications(ctx, c.Name, limit, c.Timeout+leaseMargin)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	settlements := make([]Settlement, len(claimed))
	var all sync.WaitGroup
	for i, n := range claimed {
		all.Go(func() { settlements[i] = c.attempt(ctx, n) })
	}
	all.Wait()
	if err := settle(ctx, c.outbox, settlements); err != nil {
		return 0, err
	}
	for _, s := range settlements {
		if s.Outcome == OutcomeDead {
			count(c.metrics, monitor.NotificationsDead, c.Name, 1)
		}
	}
	return len(claimed), nil
}

// settle settles what was claimed, even if the caller gave up meanwhile.
func settle(ctx context.Context, outbox Outbox, settlements []Settlement) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	return outbox.SettleNotifications(ctx, settlements)
}

// attempt tries to deliver a notification.
func (c *courier) attempt(ctx context.Context, n *Notification) Settlement {
	s := Settlement{Notification: n, Outcome: OutcomeDelivered}
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	err := c.notify(limited, n)
	c.deliveries.Note(ctx, err)
	if err == nil {
		c.breaker.Succeed()
		count(c.metrics, monitor.NotificationsDelivered, c.Name, 1)
		return s
	}
	now := time.Now()
	permanent, retryAfter := details(err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // the caller left, which says nothing about the destination
	case permanent:
		c.breaker.Refuse(err)
	default:
		c.breaker.Fail(err, retryAfter, now)
	}
	count(c.metrics, monitor.NotificationsFailed, c.Name, 1)
	s.Failure = failureText(err)
	if permanent || now.Sub(n.CreatedAt) >= c.giveUpAfter {
		s.Outcome = OutcomeDead
		return s
	}
	s.Outcome = OutcomeRetry
	s.RetryAfter = max(backoff.FullJitter(n.Attempts, minBackoff, maxBackoff), retryAfter)
	return s
}

// notify calls the notifier and turns its panic into an error. What it does to the
// notification stays with it.
func (c *courier) notify(ctx context.Context, n *Notification) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &monitor.PanicError{Where: "route " + c.Name, Value: v, Stack: debug.Stack()}
		}
	}()
	given := *n
	given.Alert = n.Alert.Clone()
	return c.Notifier.Notify(ctx, &given)
}

// failureText returns the beginning of an error's text. fmt survives an error that
// panics.
func failureText(err error) string {
	text := fmt.Sprint(err)
	return strings.ToValidUTF8(text[:min(len(text), maxFailure)], "")
}

// health tells how deliveries end, or what keeps them from beginning.
func (c *courier) health() monitor.ComponentHealth {
	h := c.deliveries.Health("route/" + c.Name)
	if outbox := c.calls.Health(h.Name); outbox.Message != "" {
		h = outbox
	} else if paused, _ := c.breaker.State(time.Now()); paused {
		h.Message = "paused, " + h.Message
	}
	h.Status = min(h.Status, monitor.HealthWarning)
	return h
}

// signal puts a token into a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func count(metrics monitor.MetricsCollector, m monitor.Metric, attribute string, n int64) {
	if metrics != nil && n != 0 {
		metrics.Record(context.Background(), monitor.Measurement{Metric: m, Value: n, Attribute: attribute})
	}
}
