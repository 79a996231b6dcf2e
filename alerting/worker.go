package alerting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/internal/backoff"
	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/monitor"
)

// A failed delivery is tried again after a random time below a limit that doubles
// from minBackoff to maxBackoff, until the notification expires.
const (
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
	// After this number of failures in a row, deliveries pause for this long.
	breakerThreshold = 5
	breakerPause     = 30 * time.Second
	// leaseMargin is how much longer than the timeout of a delivery a claim lasts. It
	// leaves time to settle the delivery, which takes up to settleTimeout.
	leaseMargin   = 20 * time.Second
	settleTimeout = 5 * time.Second
	maxFailure    = 1000 // bytes of an error text that are stored
)

// A worker delivers the notifications of one route.
type worker struct {
	Route
	routes   []Route // of all workers
	outbox   outbox
	tracing  tracing
	reporter *reporter
	breaker  breaker.Breaker

	deliveries monitor.HealthTracker
	calls      monitor.HealthTracker // to the outbox
	turn       chan struct{}         // holds a token during deliver
	wake       chan struct{}         // holds a token if there may be more to deliver
}

func newWorker(route int, routes []Route, outbox outbox, t tracing, r *reporter) *worker {
	return &worker{
		Route:    routes[route],
		routes:   routes,
		outbox:   outbox,
		tracing:  t,
		reporter: r,
		breaker:  breaker.Breaker{Threshold: breakerThreshold, Pause: breakerPause},
		turn:     make(chan struct{}, 1),
		wake:     make(chan struct{}, 1),
	}
}

// run delivers notifications as they become due, until stop is closed.
func (w *worker) run(ctx context.Context, stop <-chan struct{}, poll time.Duration) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		w.deliverDue(ctx, stop)
		select {
		case <-stop:
			return
		case <-w.wake:
		case <-ticker.C:
		}
	}
}

// signal makes run look for notifications that are due.
func (w *worker) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// deliverDue delivers until nothing is due, the breaker is open, the outbox fails or
// stop is closed. Concurrent calls take turns.
func (w *worker) deliverDue(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		n, err := w.deliver(ctx)
		w.reporter.note(ctx, &w.calls, "route/"+w.Name, err)
		if n == 0 || err != nil {
			return
		}
	}
}

// deliver delivers up to Concurrency notifications and returns their number.
func (w *worker) deliver(ctx context.Context) (int, error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return 0, nil
	}
	limit := w.breaker.Allow(w.Concurrency, time.Now())
	if limit == 0 {
		return 0, nil
	}
	claimed, err := w.claim(ctx, limit)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	ds := make([]Delivery, len(claimed))
	var all sync.WaitGroup
	for i, n := range claimed {
		all.Go(func() { ds[i] = w.attempt(ctx, n) })
	}
	all.Wait()
	if err := w.settle(ctx, ds); err != nil {
		return 0, err
	}
	for _, d := range ds {
		if d.Outcome == OutcomeDead {
			w.reporter.count(ctx, monitor.NotificationsDead, w.Name, 1)
			w.reporter.logger.LogAttrs(ctx, slog.LevelWarn, "notification became a dead letter",
				slog.String("route", w.Name), slog.String("key", d.Notification.Key), slog.String("error", d.Notification.Failure))
		}
	}
	return len(claimed), nil
}

func (w *worker) claim(ctx context.Context, limit int) ([]*Notification, error) {
	ctx, end := w.tracing.operation(ctx, "claim notifications")
	claimed, err := w.outbox.ClaimNotifications(ctx, w.Name, w.routes, nil, limit, w.Timeout+leaseMargin)
	end(err)
	return claimed, err
}

// settle records the outcomes of a batch, even if ctx has ended.
func (w *worker) settle(ctx context.Context, ds []Delivery) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	ctx, end := w.tracing.operation(ctx, "settle notifications")
	err := w.outbox.SettleNotifications(ctx, ds)
	end(err)
	return err
}

// attempt makes one attempt to deliver a notification.
func (w *worker) attempt(ctx context.Context, n *Notification) Delivery {
	limited, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	limited, end := w.tracing.delivery(limited, n)
	began := time.Now()
	err := w.notify(limited, n)
	now := time.Now()
	w.deliveries.Note(ctx, err)
	w.reporter.record(ctx, monitor.DeliveryDuration, w.Name, int64(now.Sub(began)))
	d := Delivery{Notification: n, Outcome: OutcomeDelivered}
	defer func() { end(&d, err) }()
	if err == nil {
		w.breaker.Succeed()
		w.reporter.count(ctx, monitor.NotificationsDelivered, w.Name, 1)
		return d
	}
	permanent, retryAfter := details(err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // the caller canceled it, which says nothing about the destination
	case permanent:
		w.breaker.Succeed() // the destination works
	default:
		w.breaker.Fail(retryAfter, now)
	}
	w.reporter.count(ctx, monitor.NotificationsFailed, w.Name, 1)
	n.Failure = failureText(err)
	if permanent || now.Sub(n.CreatedAt) >= w.ExpireAfter {
		d.Outcome = OutcomeDead
		return d
	}
	d.Outcome = OutcomeRetry
	d.RetryAfter = max(backoff.FullJitter(n.Attempts, minBackoff, maxBackoff), retryAfter)
	return d
}

// notify calls the notifier with a copy, and converts a panic to an error.
func (w *worker) notify(ctx context.Context, n *Notification) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &monitor.PanicError{Where: "route " + w.Name, Value: v, Stack: debug.Stack()}
		}
	}()
	given := *n
	given.Alert = n.Alert.Clone()
	return w.Notifier.Notify(ctx, &given)
}

// failureText returns the beginning of an error's text. It uses fmt, which recovers
// if the error's method panics.
func failureText(err error) string {
	text := fmt.Sprint(err)
	return strings.ToValidUTF8(text[:min(len(text), maxFailure)], "")
}
