package alerting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/monitor"
)

// lastFlushTimeout bounds what Run does after it was told to end.
const lastFlushTimeout = 10 * time.Second

// ManagerOptions change what a [Manager] does. The zero value of a field is its
// documented default.
type ManagerOptions struct {
	// CoalesceInterval is how long a repeat of an open alert may be held back
	// while Run is active. Defaults to 1 second; -1 holds nothing back.
	CoalesceInterval time.Duration
	// MaxHeld is the number of repeats that may be held back; further ones go
	// to the store at once. Each takes up to 2 kB. Defaults to 10,000.
	MaxHeld int
	// Claims tell which alerts other instances have opened, so that this one need
	// not ask the store. They are not used if nothing is held back. Defaults to
	// none.
	Claims Claims
	// Routes are whom to notify. Instances that share a store must have the
	// same. Defaults to none: what the store has for notification is left for
	// other instances.
	Routes []Route
	// PollInterval is how often the store is asked for notifications of other
	// instances and for what time has made due. Defaults to 1 second.
	PollInterval time.Duration
	// GiveUpAfter is how long a notification is tried before it becomes a dead
	// letter. One that is older when it is seen first is dropped. Defaults to 24
	// hours.
	GiveUpAfter time.Duration
	// Metrics counts what happens to notifications, and what a flush finds out:
	// alerts that repeats open, and notifications that a suppression window holds
	// back. Defaults to nothing.
	Metrics monitor.MetricsCollector
}

// A Manager is a [Store] in front of another one. It holds back repeats of open
// alerts and notifies handlers. It is what a host passes as [monitor.Config]
// Alerts.
//
// The first occurrence of an alert is in the store before StoreOccurrences returns.
// While Run is active, repeats are held for up to an interval and then stored in
// one call; until then, an alert that is read lacks them. [Manager.Flush] stores
// them at once, and so do Resolve and Dismiss, after which the next occurrence
// opens a new alert. Nothing held is dropped while the process lives: a flush
// that fails is repeated. A process that is killed loses at most an interval of
// repeats; a queue that acknowledges after Flush gets them back. That another
// instance closed an alert is noticed after an interval: what is held until then
// opens the next one when it is flushed.
//
// Notifications are in the outbox of the store, see [Outbox]; the manager puts
// them on its routes and delivers them. While Run is active it does so, each
// route by itself; without it StoreOccurrences and the changes of status do before
// they return. A delivery that fails does not fail them. It is tried again while
// Run is active, after a random time below a limit that grows from 1 second to 5
// minutes, or when the destination asks for it; a route whose deliveries fail
// five times in a row pauses for 30 seconds. What fails for good, or for longer
// than GiveUpAfter, becomes a dead letter, see [Store] Redrive. Of instances that
// share a store any one delivers.
//
// While Run is active the manager also has the store escalate and resolve what is
// due by [Settings].
//
// A store that is itself a [monitor.Runner] or a [monitor.HealthReporter] is run
// and asked by the manager.
type Manager struct {
	Store
	interval time.Duration
	metrics  monitor.MetricsCollector
	repeats  *coalescer
	claims   *claimer // nil without
	dispatch *dispatcher
	flushing chan struct{} // holds a token while a flush is under way
	running  chan struct{} // holds a token while Run is active
}

// NewManager returns a manager for the store. Options may be nil. It starts
// nothing.
func NewManager(store Store, options *ManagerOptions) (*Manager, error) {
	var o ManagerOptions
	if options != nil {
		o = *options
	}
	err := o.validate()
	if store == nil {
		err = errors.Join(err, invalid("Store", "missing"))
	}
	if err != nil {
		return nil, fmt.Errorf("alerting: make manager: %w", err)
	}
	m := &Manager{
		Store:    store,
		interval: cmp.Or(o.CoalesceInterval, time.Second),
		metrics:  o.Metrics,
		repeats:  newCoalescer(cmp.Or(o.MaxHeld, 10_000)),
		dispatch: newDispatcher(store, &o),
		flushing: make(chan struct{}, 1),
		running:  make(chan struct{}, 1),
	}
	if o.Claims != nil && m.interval > 0 {
		m.claims = &claimer{
			claims: o.Claims, ttl: 2 * m.interval,
			breaker: breaker.Breaker{Threshold: 1, Pause: claimPause},
		}
	}
	return m, nil
}

// validate returns everything that is wrong with the options.
func (o *ManagerOptions) validate() error {
	errs := []error{validateRoutes(o.Routes)}
	if o.CoalesceInterval < -1 {
		errs = append(errs, invalid("CoalesceInterval", "%v is negative", o.CoalesceInterval))
	}
	if o.MaxHeld < 0 {
		errs = append(errs, invalid("MaxHeld", "%d is negative", o.MaxHeld))
	}
	if o.PollInterval < 0 {
		errs = append(errs, invalid("PollInterval", "%v is negative", o.PollInterval))
	}
	if o.GiveUpAfter < 0 {
		errs = append(errs, invalid("GiveUpAfter", "%v is negative", o.GiveUpAfter))
	}
	return errors.Join(errs...)
}

// StoreOccurrences stores occurrences or holds them back, and notifies.
func (m *Manager) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	if m.claims != nil {
		unknown, epoch := m.repeats.unknown(os)
		m.repeats.believe(epoch, m.claims.lookup(ctx, unknown))
	}
	ds, rest, places, epoch := m.repeats.hold(os)
	if len(rest) == 0 {
		return ds, nil
	}
	stored, err := m.store(ctx, rest, epoch)
	if err != nil {
		return nil, err
	}
	if ds == nil {
		return stored, nil
	}
	for i, place := range places {
		ds[place] = stored[i]
	}
	return ds, nil
}

// store writes occurrences to the store and notifies.
func (m *Manager) store(ctx context.Context, os []*monitor.Occurrence, epoch int) ([]monitor.Disposition, error) {
	ds, err := m.Store.StoreOccurrences(ctx, os)
	if err != nil {
		return nil, err
	}
	if len(ds) != len(os) {
		return nil, fmt.Errorf("alerting: the store answered %d occurrences with %d dispositions", len(os), len(ds))
	}
	m.repeats.learn(epoch, os, ds)
	if m.claims != nil {
		m.claims.claim(ctx, os, ds)
	}
	if slices.ContainsFunc(ds, func(d monitor.Disposition) bool { return d.Notify == monitor.NotifyDue }) {
		m.dispatch.post(ctx)
	}
	return ds, nil
}

// Acknowledge records that somebody looks after an active alert.
func (m *Manager) Acknowledge(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.changed(ctx)(m.Store.Acknowledge(ctx, ref, by, note))
}

// Reopen makes a closed alert active again.
func (m *Manager) Reopen(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.changed(ctx)(m.Store.Reopen(ctx, ref, by, note))
}

// changed passes on the result of a change of status, for which there is a
// notification.
func (m *Manager) changed(ctx context.Context) func(*monitor.Alert, error) (*monitor.Alert, error) {
	return func(a *monitor.Alert, err error) (*monitor.Alert, error) {
		if err == nil {
			m.dispatch.post(ctx)
		}
		return a, err
	}
}

// Resolve flushes and ends the incident of an open alert.
func (m *Manager) Resolve(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.end(ctx, func() (*monitor.Alert, error) { return m.Store.Resolve(ctx, ref, by, note) })
}

// Dismiss flushes and ends the incident of an open alert.
func (m *Manager) Dismiss(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.end(ctx, func() (*monitor.Alert, error) { return m.Store.Dismiss(ctx, ref, by, note) })
}

// end closes an alert so that it has all occurrences that came before, and that
// none that comes after is taken for a repeat.
func (m *Manager) end(ctx context.Context, change func() (*monitor.Alert, error)) (*monitor.Alert, error) {
	if err := m.Flush(ctx); err != nil {
		return nil, err
	}
	a, err := change()
	if err == nil && m.claims != nil {
		m.claims.release(ctx, a)
	}
	m.repeats.forget()
	// What was held in between is stored now; a failure is kept for Health and
	// the repeats for the next time.
	_ = m.Flush(ctx)
	return m.changed(ctx)(a, err)
}

// Redrive makes the dead letters of a route due again.
func (m *Manager) Redrive(ctx context.Context, organization, route string) (int, error) {
	n, err := m.Store.Redrive(ctx, organization, route)
	if n > 0 {
		m.dispatch.post(ctx)
	}
	return n, err
}

// Flush stores the repeats that were held back when it was called. After an
// error they are held still.
func (m *Manager) Flush(ctx context.Context) error {
	select {
	case m.flushing <- struct{}{}:
		defer func() { <-m.flushing }()
	case <-ctx.Done():
		return fmt.Errorf("alerting: flush: %w", ctx.Err())
	}
	batch, epoch := m.repeats.take()
	if len(batch.occurrences) == 0 {
		m.repeats.done(ctx, batch, nil)
		return nil
	}
	os := make([]*monitor.Occurrence, len(batch.occurrences))
	for i := range batch.occurrences {
		os[i] = &batch.occurrences[i]
	}
	ds, err := m.store(ctx, os, epoch)
	if err != nil {
		m.repeats.done(ctx, batch, err)
		return fmt.Errorf("alerting: flush: %w", err)
	}
	m.count(os, ds)
	m.repeats.done(ctx, batch, nil)
	return nil
}

// count measures what the monitor was not told of occurrences that were held.
func (m *Manager) count(os []*monitor.Occurrence, ds []monitor.Disposition) {
	for i, d := range ds {
		if d.Stored == monitor.StoredNew { // the alert that was open is closed
			count(m.metrics, monitor.AlertsCreated, os[i].Finding.Rule, 1)
		}
		if d.Notify == monitor.NotifySuppressed {
			count(m.metrics, monitor.AlertsSuppressed, os[i].Finding.Rule, 1)
		}
	}
}

// Run flushes and delivers until ctx is canceled. Then it flushes once more and
// delivers what is due, for up to ten seconds, and returns an error if something
// could not be stored, or waits for delivery in a store that forgets it; that is
// still there for another Run.
func (m *Manager) Run(ctx context.Context) error {
	select {
	case m.running <- struct{}{}:
		defer func() { <-m.running }()
	default:
		return errors.New("alerting: run manager: it is running")
	}
	// The work outlives ctx, so that nothing is cut off in the middle.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()

	// The store ending by itself ends the manager.
	ctx, stop := context.WithCancel(ctx)
	storeDone := make(chan error, 1)
	go func() {
		defer stop()
		storeDone <- m.runStore(work)
	}()
	stopDispatch, dispatchDone := make(chan struct{}), make(chan struct{})
	m.dispatch.start()
	go func() {
		defer close(dispatchDone)
		m.dispatch.run(work, stopDispatch)
	}()

	m.flushUntil(ctx)

	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), lastFlushTimeout)
	defer cancelLast()
	context.AfterFunc(last, cancel) // cuts off what is under way
	m.repeats.activate(false)
	errs := []error{m.Flush(last)}
	close(stopDispatch)
	<-dispatchDone
	errs = append(errs, m.dispatch.finish(last))
	cancel()
	return errors.Join(append(errs, <-storeDone)...)
}

// runStore runs the store until ctx is canceled.
func (m *Manager) runStore(ctx context.Context) error {
	if r, ok := m.Store.(monitor.Runner); ok {
		return r.Run(ctx)
	}
	<-ctx.Done()
	return nil
}

// flushUntil flushes every interval until ctx is canceled.
func (m *Manager) flushUntil(ctx context.Context) {
	var tick <-chan time.Time
	if m.interval > 0 {
		ticker := time.NewTicker(m.interval)
		defer ticker.Stop()
		tick = ticker.C
		m.repeats.activate(true)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			m.repeats.age()
		case <-m.repeats.full:
		}
		// A failure is kept for Health, the repeats for the next time.
		_ = m.Flush(ctx)
	}
}

// Health returns that of the repeats held back, of the claims, of the outbox, of
// each route and, if it is a [monitor.HealthReporter], of the store.
func (m *Manager) Health(ctx context.Context) []monitor.ComponentHealth {
	all := append(m.dispatch.health(), m.repeats.health())
	if m.claims != nil {
		all = append(all, m.claims.health())
	}
	if r, ok := m.Store.(monitor.HealthReporter); ok {
		all = append(all, r.Health(ctx)...)
	}
	return all
}
