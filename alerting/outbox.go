package alerting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// How a route delivers. Failed notifications are tried ten times, after 1 s,
// 2 s, 4 s and so on up to a minute: for about four minutes.
const (
	outboxCapacity  = 1024 // notifications waiting; further ones displace the oldest
	deliveryTimeout = 10 * time.Second
	maxAttempts     = 10
	minBackoff      = time.Second
	maxBackoff      = time.Minute
)

// An outbox delivers the notifications of one route. While run is active it is
// run's goroutine that calls the handler, so that a slow one delays nothing
// else; otherwise post does.
type outbox struct {
	route   Route
	metrics monitor.MetricsCollector
	wake    chan struct{} // holds a token if run must look again

	mu      sync.Mutex
	running bool
	waiting []*notification // oldest first
	dropped int64
	failure error // of the last attempt, until nothing waits and one succeeds
}

// A notification is an alert on its way to a handler.
type notification struct {
	alert    *monitor.Alert
	attempts int
	due      time.Time
}

func newOutbox(r Route, metrics monitor.MetricsCollector) *outbox {
	return &outbox{route: r, metrics: metrics, wake: make(chan struct{}, 1)}
}

// post delivers an alert, or has it delivered.
func (o *outbox) post(ctx context.Context, a *monitor.Alert) {
	n := &notification{alert: a}
	o.mu.Lock()
	running := o.running
	if running {
		o.keep(n)
	}
	o.mu.Unlock()
	if !running {
		o.attempt(ctx, n)
		return
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// keep adds a notification to those that wait. The caller holds the mutex.
func (o *outbox) keep(n *notification) {
	if len(o.waiting) == outboxCapacity {
		o.waiting = slices.Delete(o.waiting, 0, 1)
		o.drop()
		if o.failure == nil {
			o.failure = errors.New("notifications come faster than the handler takes them")
		}
	}
	o.waiting = append(o.waiting, n)
}

// drop counts a notification that is given up. The caller holds the mutex.
func (o *outbox) drop() {
	o.dropped++
	o.count(monitor.NotificationsDropped)
}

func (o *outbox) count(m monitor.Metric) {
	if o.metrics != nil {
		o.metrics.Record(context.Background(), monitor.Measurement{Metric: m, Value: 1, Attribute: o.route.Name})
	}
}

// attempt calls the handler. If that fails the notification waits for another
// attempt.
func (o *outbox) attempt(ctx context.Context, n *notification) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	err := handle(ctx, "route "+o.route.Name, o.route.Handler, n.alert.Detach())

	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		if len(o.waiting) == 0 {
			o.failure = nil
		}
		return
	}
	o.failure = err
	o.count(monitor.NotificationsFailed)
	n.attempts++
	if n.attempts == maxAttempts {
		o.drop()
		return
	}
	n.due = time.Now().Add(min(minBackoff<<(n.attempts-1), maxBackoff))
	o.keep(n)
}

// start makes the notifications wait for run.
func (o *outbox) start() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = true
}

// run delivers what waits until stop is closed.
func (o *outbox) run(ctx context.Context, stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		n, wait := o.next(time.Now())
		if n != nil {
			o.attempt(ctx, n)
			wait = 0
		}
		timer.Reset(wait)
		select {
		case <-stop:
			return
		case <-o.wake:
		case <-timer.C:
		}
	}
}

// next takes the first notification that is due out of the list, or says how long
// to wait for one.
func (o *outbox) next(now time.Time) (n *notification, wait time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.IndexFunc(o.waiting, func(n *notification) bool { return !n.due.After(now) }); i >= 0 {
		n = o.waiting[i]
		o.waiting = slices.Delete(o.waiting, i, i+1)
	}
	wait = maxBackoff
	for _, other := range o.waiting {
		wait = min(wait, max(0, other.due.Sub(now)))
	}
	return n, wait
}

// finish ends what start began: each notification that waits has a last attempt,
// and further ones are delivered by post again. It returns an error if some could
// not be delivered.
func (o *outbox) finish(ctx context.Context) error {
	o.mu.Lock()
	o.running = false
	last := o.waiting
	o.waiting = nil
	o.mu.Unlock()
	for _, n := range last {
		o.attempt(ctx, n)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) > 0 {
		return fmt.Errorf("alerting: route %s: %d notifications not delivered: %w", o.route.Name, len(o.waiting), o.failure)
	}
	return nil
}

// health says how the route is.
func (o *outbox) health() (monitor.HealthStatus, string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failure == nil {
		return monitor.HealthOK, ""
	}
	return monitor.HealthWarning, fmt.Sprintf("route %s: %d notifications waiting, %d dropped: %v",
		o.route.Name, len(o.waiting), o.dropped, o.failure)
}
