package alerting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/monitor"
)

const (
	chunk           = 100              // notifications routed, or alerts looked at, in a call
	routingLease    = 10 * time.Second // for the notifications of a chunk
	backlogInterval = 15 * time.Second // between two looks at the size of the outbox
)

// A dispatcher sees to it that what is in an outbox is routed and delivered, and
// that what time has made due happens.
type dispatcher struct {
	store       Store
	metrics     monitor.MetricsCollector
	poll        time.Duration
	giveUpAfter time.Duration
	couriers    []*courier
	wake        chan struct{}         // holds a token if there may be more to route
	calls       monitor.HealthTracker // to the store

	mu      sync.Mutex
	running bool
	backlog Backlog // when it was looked at last
	looked  time.Time
}

func newDispatcher(store Store, o *ManagerOptions) *dispatcher {
	d := &dispatcher{
		store:       store,
		metrics:     o.Metrics,
		poll:        cmp.Or(o.PollInterval, time.Second),
		giveUpAfter: cmp.Or(o.GiveUpAfter, 24*time.Hour),
		wake:        make(chan struct{}, 1),
	}
	for _, r := range o.Routes {
		d.couriers = append(d.couriers, &courier{
			Route:       r.withDefaults(),
			outbox:      store,
			metrics:     o.Metrics,
			giveUpAfter: d.giveUpAfter,
			breaker:     breaker.Breaker{Threshold: breakerThreshold, Pause: breakerPause},
			turn:        make(chan struct{}, 1),
			wake:        make(chan struct{}, 1),
		})
	}
	return d
}

// post says that there are notifications. While run is active it is run that
// delivers, so that a slow notifier delays nothing else; otherwise post does.
func (d *dispatcher) post(ctx context.Context) {
	d.mu.Lock()
	running := d.running
	d.mu.Unlock()
	if running {
		signal(d.wake)
		return
	}
	d.drain(ctx)
}

// drain delivers what is due.
func (d *dispatcher) drain(ctx context.Context) {
	if len(d.couriers) == 0 {
		return
	}
	more, err := d.route(ctx)
	for more {
		more, err = d.route(ctx)
	}
	var all sync.WaitGroup
	for _, c := range d.couriers {
		all.Go(func() { c.deliverDue(ctx, ctx.Done()) })
	}
	all.Wait()
	_, lookErr := d.look(ctx, backlogInterval)
	d.calls.Note(ctx, errors.Join(err, lookErr))
}

// start makes run deliver what is posted from now on.
func (d *dispatcher) start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = true
}

// run works until stop is closed, and returns when nothing is under way.
func (d *dispatcher) run(ctx context.Context, stop <-chan struct{}) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range d.couriers {
		all.Go(func() { c.run(ctx, stop, d.poll) })
	}
	ticker := time.NewTicker(d.poll)
	defer ticker.Stop()
	for {
		more, err := d.tend(ctx)
		d.calls.Note(ctx, err)
		if more {
			signal(d.wake)
		}
		select {
		case <-stop:
			return
		case <-d.wake:
		case <-ticker.C:
		}
	}
}

// tend does what is to be done besides delivering, a chunk of each, and reports
// whether there may be more. Whatever fails of it, the rest is done.
func (d *dispatcher) tend(ctx context.Context) (more bool, err error) {
	advanced, err := d.advance(ctx)
	if len(d.couriers) == 0 {
		return advanced, err // the outbox is for others
	}
	routed, routeErr := d.route(ctx)
	_, lookErr := d.look(ctx, backlogInterval)
	return advanced || routed, errors.Join(err, routeErr, lookErr)
}

// advance has the store do what is due by time.
func (d *dispatcher) advance(ctx context.Context) (more bool, err error) {
	p, err := d.store.Advance(ctx, chunk)
	count(d.metrics, monitor.AlertsEscalated, "", int64(p.Escalated))
	count(d.metrics, monitor.AlertsAutoResolved, "", int64(p.Resolved))
	if err != nil {
		return false, fmt.Errorf("advance alerts: %w", err)
	}
	return p.Looked >= chunk, nil
}

// route puts notifications that have no route on those that they take. As long as
// there are some, more may follow of the same alerts.
func (d *dispatcher) route(ctx context.Context) (more bool, err error) {
	claimed, err := d.store.ClaimNotifications(ctx, "", chunk, routingLease)
	if err != nil {
		return false, fmt.Errorf("claim notifications: %w", err)
	}
	if len(claimed) == 0 {
		return false, nil
	}
	settlements, dropped := make([]Settlement, len(claimed)), map[string]int64{}
	for i, n := range claimed {
		settlements[i] = Settlement{Notification: n, Outcome: OutcomeRouted, Routes: d.routesOf(n, dropped)}
	}
	if err := settle(ctx, d.store, settlements); err != nil {
		return false, fmt.Errorf("route notifications: %w", err)
	}
	for why, n := range dropped {
		count(d.metrics, monitor.NotificationsDropped, why, n)
	}
	for _, c := range d.couriers {
		signal(c.wake)
	}
	return true, nil
}

// routesOf returns the routes that a notification takes, and counts why it does
// not take others.
func (d *dispatcher) routesOf(n *Notification, dropped map[string]int64) (names []string) {
	if time.Since(n.CreatedAt) >= d.giveUpAfter {
		dropped["too_old"]++
		return nil
	}
	for _, c := range d.couriers {
		if c.takes(n) {
			names = append(names, c.Name)
		}
	}
	for _, target := range n.Targets {
		if !slices.Contains(names, target) {
			dropped["no_such_route"]++
		}
	}
	return names
}

// look returns the size of the outbox, as it is or was less than that ago.
func (d *dispatcher) look(ctx context.Context, ago time.Duration) (Backlog, error) {
	d.mu.Lock()
	known, fresh := d.backlog, time.Since(d.looked) < ago
	d.mu.Unlock()
	if fresh {
		return known, nil
	}
	now, err := d.store.Backlog(ctx)
	if err != nil {
		return Backlog{}, fmt.Errorf("look at the outbox: %w", err)
	}
	d.mu.Lock()
	dropped := max(now.Dropped-d.backlog.Dropped, 0) // not what another look has seen
	now.Dropped = d.backlog.Dropped + dropped
	d.backlog, d.looked = now, time.Now()
	d.mu.Unlock()
	count(d.metrics, monitor.NotificationsDropped, "too_many", dropped)
	if d.metrics != nil {
		d.metrics.Record(ctx, monitor.Measurement{Metric: monitor.NotificationBacklog, Value: int64(now.Waiting)})
	}
	return now, nil
}

// finish ends what start began. It delivers what is due a last time, and returns
// an error if something waits that nobody will deliver.
func (d *dispatcher) finish(ctx context.Context) error {
	d.mu.Lock()
	d.running = false
	d.mu.Unlock()
	if len(d.couriers) == 0 {
		return nil
	}
	d.drain(ctx)
	left, err := d.look(ctx, 0)
	if err != nil {
		return fmt.Errorf("alerting: %w", err)
	}
	if left.Volatile && left.Waiting > 0 {
		return fmt.Errorf("alerting: %d notifications not delivered", left.Waiting)
	}
	return nil
}

// health returns that of the outbox and of each route. What is wrong there delays
// notifications, and loses none.
func (d *dispatcher) health() []monitor.ComponentHealth {
	h := d.calls.Health("outbox")
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case h.Message != "":
	case d.backlog.Dead > 0:
		h.Message = fmt.Sprintf("%d dead letters", d.backlog.Dead)
	case d.backlog.Waiting > 0 && !d.running:
		h.Message = "not running"
	}
	if h.Message != "" {
		h.Status = monitor.HealthWarning
	}
	all := []monitor.ComponentHealth{h}
	for _, c := range d.couriers {
		all = append(all, c.health())
	}
	return all
}
