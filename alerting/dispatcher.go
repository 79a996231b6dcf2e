package alerting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

const (
	// backlogInterval is how often the size of the outbox is read.
	backlogInterval = 15 * time.Second
	// unroutedAfter is the age of notifications at which a manager without routes says
	// that they wait for one with routes.
	unroutedAfter = 5 * time.Minute
)

// A dispatcher runs one worker per route, which delivers notifications from the
// outbox, and the timers of the store. Without routes it still looks at the outbox.
type dispatcher struct {
	store    driverStore
	tracing  tracing
	reporter *reporter
	poll     time.Duration
	workers  []*worker
	calls    monitor.HealthTracker // to the store

	mu       sync.Mutex
	running  bool
	backlog  Backlog // as of looked
	looked   time.Time
	counted  map[string]int64 // dropped notifications by reason
	unrouted bool             // it was logged that notifications wait for routes
}

func newDispatcher(s driverStore, routes []Route, poll time.Duration, t tracing, r *reporter) *dispatcher {
	d := &dispatcher{
		store: s, tracing: t, reporter: r, poll: poll,
		counted: map[string]int64{},
	}
	for i := range routes {
		d.workers = append(d.workers, newWorker(i, routes, s, t, r))
	}
	return d
}

// post has new notifications delivered. While run is active it only wakes the
// workers, so that a slow notifier does not block the caller. Otherwise it delivers
// before it returns.
func (d *dispatcher) post(ctx context.Context) {
	d.mu.Lock()
	running := d.running
	d.mu.Unlock()
	if running {
		d.signal()
	} else {
		d.drain(ctx)
	}
}

func (d *dispatcher) signal() {
	for _, w := range d.workers {
		w.signal()
	}
}

// drain delivers the notifications that are due.
func (d *dispatcher) drain(ctx context.Context) {
	var all sync.WaitGroup
	for _, w := range d.workers {
		all.Go(func() { w.drain(ctx) })
	}
	all.Wait()
	_, err := d.look(ctx, backlogInterval)
	d.note(ctx, err)
}

func (d *dispatcher) note(ctx context.Context, err error) {
	d.reporter.note(ctx, &d.calls, "outbox", err)
}

// start makes post leave deliveries to the workers of run.
func (d *dispatcher) start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = true
}

// run works until stop is closed, and returns when all deliveries have ended.
func (d *dispatcher) run(ctx context.Context, stop <-chan struct{}) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, w := range d.workers {
		all.Go(func() { w.run(ctx, stop, d.poll) })
	}
	ticker := time.NewTicker(d.poll)
	defer ticker.Stop()
	for {
		d.note(ctx, d.tend(ctx))
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
	}
}

// tend runs the timers and reads the backlog, even if one of them fails.
func (d *dispatcher) tend(ctx context.Context) error {
	err := d.runTimers(ctx)
	_, lookErr := d.look(ctx, backlogInterval)
	return errors.Join(err, lookErr)
}

// runTimers escalates and resolves the alerts whose timers are due.
func (d *dispatcher) runTimers(ctx context.Context) error {
	var escalated, resolved int
	err := d.tracing.operation(ctx, "run timers", func(ctx context.Context) (err error) {
		escalated, resolved, err = d.store.RunTimers(ctx)
		return err
	})
	d.reporter.count(ctx, monitor.AlertsEscalated, "", int64(escalated))
	d.reporter.count(ctx, monitor.AlertsAutoResolved, "", int64(resolved))
	if escalated+resolved > 0 {
		d.signal()
	}
	if err != nil {
		return fmt.Errorf("run timers: %w", err)
	}
	return nil
}

// look returns the size of the outbox. It reads the size from the store unless it did
// so less than this time ago.
func (d *dispatcher) look(ctx context.Context, ago time.Duration) (Backlog, error) {
	d.mu.Lock()
	known, fresh := d.backlog, time.Since(d.looked) < ago
	d.mu.Unlock()
	if fresh {
		return known, nil
	}
	var now Backlog
	err := d.tracing.operation(ctx, "read backlog", func(ctx context.Context) (err error) {
		now, err = d.store.Backlog(ctx)
		return err
	})
	if err != nil {
		return Backlog{}, fmt.Errorf("read backlog: %w", err)
	}
	for reason, n := range d.learn(now) {
		d.reporter.count(ctx, monitor.NotificationsDropped, reason, n)
		d.reporter.log(ctx, slog.LevelWarn, "notifications were dropped", slog.String("reason", reason), slog.Int64("count", n))
	}
	d.reporter.record(ctx, monitor.NotificationBacklog, "", int64(now.Waiting))
	if d.lacksRoutes(now) {
		d.reporter.log(ctx, slog.LevelWarn, "notifications wait for an instance with routes, and this one has none",
			slog.Int("count", now.Waiting), slog.Time("oldest", now.OldestAt))
	}
	return now, nil
}

// lacksRoutes reports, once, that notifications have waited for long and that there
// are no routes here to deliver them on.
func (d *dispatcher) lacksRoutes(now Backlog) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unrouted || len(d.workers) > 0 || now.Waiting == 0 || time.Since(now.OldestAt) < unroutedAfter {
		return false
	}
	d.unrouted = true
	return true
}

// learn records a backlog and returns the new numbers of dropped notifications.
func (d *dispatcher) learn(now Backlog) map[string]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.backlog, d.looked = now, time.Now()
	fresh := map[string]int64{}
	for reason, n := range now.Dropped {
		if n > d.counted[reason] {
			fresh[reason] = n - d.counted[reason]
			d.counted[reason] = n
		}
	}
	return fresh
}

// finish undoes start. It delivers once more what is due, and returns an error if the
// store is volatile and still has undelivered notifications.
func (d *dispatcher) finish(ctx context.Context) error {
	d.mu.Lock()
	d.running = false
	d.mu.Unlock()
	if len(d.workers) == 0 {
		return nil
	}
	d.drain(ctx)
	left, err := d.look(ctx, 0)
	if err != nil {
		return err
	}
	if left.Volatile && left.Waiting > 0 {
		return fmt.Errorf("%d notifications not delivered", left.Waiting)
	}
	return nil
}
