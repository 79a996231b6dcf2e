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
	"github.com/auditwarden/auditwarden/monitor"
)

// A failed delivery is tried again after a random time below a limit that doubles
// from minBackoff to maxBackoff, until the notification expires.
const (
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
	// leaseMargin is how much longer than the timeout of a delivery a claim lasts. It
	// leaves time to settle the delivery, which takes up to settleTimeout.
	leaseMargin   = 20 * time.Second
	settleTimeout = 5 * time.Second
	// drainTimeout limits how long a caller delivers, since there may be any number of
	// notifications of other organizations.
	drainTimeout = 10 * time.Second
	maxFailure   = 1000 // bytes of an error text that are stored
)

// A worker delivers the notifications of one route.
type worker struct {
	Route
	routes       []Route // of all workers
	outbox       outbox
	tracing      tracing
	reporter     *reporter
	destinations *destinations

	deliveries monitor.HealthTracker
	calls      monitor.HealthTracker // to the outbox
	turn       chan struct{}         // holds a token while a notification is claimed
	wake       chan struct{}         // holds a token if there may be more to deliver
}

func newWorker(route int, routes []Route, outbox outbox, t tracing, r *reporter) *worker {
	return &worker{
		Route:        routes[route],
		routes:       routes,
		outbox:       outbox,
		tracing:      t,
		reporter:     r,
		destinations: newDestinations(routes[route].Concurrency),
		turn:         make(chan struct{}, 1),
		wake:         make(chan struct{}, 1),
	}
}

// run delivers notifications as they become due, until stop is closed, and returns when
// all deliveries have ended.
func (w *worker) run(ctx context.Context, stop <-chan struct{}, poll time.Duration) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	w.deliver(ctx, stop, ticker.C)
}

// drain delivers until nothing is due that there is a slot for, for up to drainTimeout
// and one more attempt.
func (w *worker) drain(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	w.deliver(ctx, limited.Done(), nil)
}

// signal makes run look for notifications that are due.
func (w *worker) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// deliver delivers until stop is closed or, without a tick, until nothing is due. It
// fills the free slots at the start, at each tick and when it is woken; whenever a
// delivery has ended, it fills one.
func (w *worker) deliver(ctx context.Context, stop <-chan struct{}, tick <-chan time.Time) {
	var all sync.WaitGroup
	defer all.Wait()
	ended, left := make(chan struct{}), make(chan struct{})
	defer close(left)
	flying := 0
	start := func(most int) {
		for ; most > 0; most-- {
			n := w.claim(ctx)
			if n == nil {
				return
			}
			flying++
			all.Go(func() {
				w.handle(ctx, n)
				select {
				case ended <- struct{}{}:
				case <-left:
				}
			})
		}
	}
	for start(w.Concurrency); tick != nil || flying > 0; {
		select {
		case <-stop:
			return
		case <-ended:
			flying--
			start(1)
		case <-w.wake:
			start(w.Concurrency)
		case <-tick:
			start(w.Concurrency)
		}
	}
}

// claim claims a notification, and takes a slot for it. It returns nil if there is no
// free slot, or nothing is due for those who may have it, or the outbox fails.
// Concurrent calls take turns, so that each sees the slots that are taken.
func (w *worker) claim(ctx context.Context) *Notification {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return nil
	}
	free, paused := w.destinations.free(time.Now())
	if !free {
		return nil
	}
	var claimed []*Notification
	err := w.tracing.operation(ctx, "claim notifications", func(ctx context.Context) (err error) {
		claimed, err = w.outbox.ClaimNotifications(ctx, w.Name, w.routes, paused, 1, w.Timeout+leaseMargin)
		return err
	})
	w.reporter.note(ctx, &w.calls, w.component(), err)
	if err != nil || len(claimed) == 0 {
		return nil
	}
	w.destinations.begin(claimed[0].Alert.OrganizationID)
	return claimed[0]
}

// component is the name of the route in health and logs.
func (w *worker) component() string { return "route/" + w.Name }

// handle delivers a notification that was claimed, records the outcome in the outbox,
// and gives back the slot.
func (w *worker) handle(ctx context.Context, n *Notification) {
	defer w.destinations.end(n.Alert.OrganizationID)
	d, failure := w.attempt(ctx, n)
	if err := w.settle(ctx, d); err == nil && d.Outcome == OutcomeDead {
		w.reporter.count(ctx, monitor.NotificationsDead, w.Name, 1)
		w.reporter.log(ctx, slog.LevelWarn, "notification became a dead letter",
			slog.String("route", w.Name), slog.String("key", n.Key), slog.String("error", failure))
	}
}

// settle records the outcome of a delivery, even if ctx has ended.
func (w *worker) settle(ctx context.Context, d Delivery) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	err := w.tracing.operation(limited, "settle notifications", func(ctx context.Context) error {
		return w.outbox.SettleNotifications(ctx, []Delivery{d})
	})
	w.reporter.note(limited, &w.calls, w.component(), err)
	return err
}

// attempt makes one attempt to deliver a notification. If it fails, failure is the
// text for the operator.
func (w *worker) attempt(ctx context.Context, n *Notification) (d Delivery, failure string) {
	limited, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	limited, end := w.tracing.delivery(limited, n)
	began := time.Now()
	err := w.notify(limited, n)
	now := time.Now()
	w.deliveries.Note(ctx, err)
	w.reporter.record(ctx, monitor.DeliveryDuration, w.Name, int64(now.Sub(began)))
	d = Delivery{Notification: n, Outcome: OutcomeDelivered}
	defer func() { end(&d, err) }()
	if err == nil {
		w.destinations.succeed(n.Alert.OrganizationID, now)
		w.reporter.count(ctx, monitor.NotificationsDelivered, w.Name, 1)
		return d, ""
	}
	permanent, works, retryAfter := details(err)
	n.Failure, failure = failureTexts(limited, err)
	if !errors.Is(ctx.Err(), context.Canceled) { // otherwise it says nothing about the destination
		w.destinations.fail(n.Alert.OrganizationID, failure, works, retryAfter, now)
	}
	w.reporter.count(ctx, monitor.NotificationsFailed, w.Name, 1)
	if permanent || now.Sub(n.CreatedAt) >= w.ExpireAfter {
		d.Outcome = OutcomeDead
		return d, failure
	}
	d.Outcome = OutcomeRetry
	d.RetryAfter = max(backoff.FullJitter(n.Attempts, minBackoff, maxBackoff), retryAfter)
	return d, failure
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

// failureTexts returns what the tenant and what the operator may see of the error of an
// attempt with a context: a [DeliveryError] has a text for each, and any other error
// may have an address or a name in its text. It uses fmt, which recovers if the error's
// method panics.
func failureTexts(ctx context.Context, err error) (tenant, operator string) {
	tenant, operator = "the notifier failed", fmt.Sprint(err)
	switch e, ok := errors.AsType[*DeliveryError](err); {
	case ok && e != nil:
		tenant = fmt.Sprint(e)
		if e.Detail != "" {
			operator += " (" + e.Detail + ")"
		}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		tenant = "timed out"
	case ctx.Err() != nil:
		tenant = "canceled"
	}
	return clip(tenant), clip(operator)
}

// clip returns the beginning of a text.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxFailure)], "")
}
