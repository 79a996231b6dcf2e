package alerting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Defaults of [ManagerOptions].
const (
	defaultCoalesceInterval = time.Second
	defaultMaxHeld          = 10_000
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
	// Routes are the handlers to be notified. Defaults to none.
	Routes []Route
	// Metrics counts the notifications that failed, were dropped, and were
	// held back by a suppression window at a flush. Defaults to nothing.
	Metrics monitor.MetricsCollector
}

// A Manager is a [Store] in front of another one. It holds back repeats of open
// alerts and notifies handlers. It is what a host passes as [monitor.Config]
// Alerts.
//
// The first occurrence of an alert is in the store before StoreAlerts returns.
// While Run is active, repeats are held for up to an interval and then stored in
// one call; until then, an alert that is read lacks them. [Manager.Flush] stores
// them at once, and so do Resolve and Dismiss, after which the next occurrence
// opens a new alert. Nothing held is dropped while the process lives: a flush
// that fails is repeated. A process that is killed loses at most an interval of
// repeats, and never an alert; a queue that acknowledges after Flush gets them
// back. An alert that another instance closes is noticed after an interval.
//
// Alerts that are due for notification are handed to the routes after they were
// stored. While Run is active it calls the handlers, each route in a goroutine
// of its own; without it StoreAlerts does. A notification that fails does not
// fail StoreAlerts. It is kept, while Run is active tried again up to ten times
// in about four minutes, and then dropped. A route keeps 1,024 notifications;
// further ones displace the oldest. Failed and dropped ones are counted and seen
// in [Manager.Health].
//
// A store that is itself a [monitor.Runner] or a [monitor.HealthReporter] is run
// and asked by the manager.
type Manager struct {
	Store
	interval time.Duration
	metrics  monitor.MetricsCollector
	repeats  *coalescer
	outboxes []*outbox
	flushing chan struct{} // holds a token while a flush is under way
	running  chan struct{} // holds a token while Run is active
}

// NewManager returns a manager for the store. Options may be nil. It starts
// nothing.
func NewManager(store Store, o *ManagerOptions) (*Manager, error) {
	if o == nil {
		o = &ManagerOptions{}
	}
	m := &Manager{
		Store:    store,
		interval: o.CoalesceInterval,
		metrics:  o.Metrics,
		flushing: make(chan struct{}, 1),
		running:  make(chan struct{}, 1),
	}
	errs := []error{validateRoutes(o.Routes)}
	if store == nil {
		errs = append(errs, invalid("Store", "missing"))
	}
	switch {
	case m.interval == 0:
		m.interval = defaultCoalesceInterval
	case m.interval < -1:
		errs = append(errs, invalid("CoalesceInterval", "%v is negative", m.interval))
	}
	held := o.MaxHeld
	switch {
	case held == 0:
		held = defaultMaxHeld
	case held < 0:
		errs = append(errs, invalid("MaxHeld", "%d is negative", held))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("alerting: make manager: %w", err)
	}
	m.repeats = newCoalescer(held)
	for _, r := range o.Routes {
		m.outboxes = append(m.outboxes, newOutbox(r, o.Metrics))
	}
	return m, nil
}

// HandleAlert stores one occurrence.
func (m *Manager) HandleAlert(ctx context.Context, a *monitor.Alert) error {
	_, err := m.StoreAlerts(ctx, []*monitor.Alert{a})
	return err
}

// StoreAlerts stores occurrences or holds them back, and notifies.
func (m *Manager) StoreAlerts(ctx context.Context, as []*monitor.Alert) ([]monitor.Disposition, error) {
	ds, rest, places, epoch := m.repeats.hold(as)
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
func (m *Manager) store(ctx context.Context, as []*monitor.Alert, epoch int) ([]monitor.Disposition, error) {
	ds, err := m.Store.StoreAlerts(ctx, as)
	if err != nil {
		return nil, err
	}
	if len(ds) != len(as) {
		return nil, fmt.Errorf("alerting: the store answered %d alerts with %d dispositions", len(as), len(ds))
	}
	m.repeats.learn(epoch, as, ds)
	for i, a := range as {
		if ds[i].Notify == monitor.NotifyDue {
			m.notify(ctx, a, ds[i].AlertID)
		}
	}
	return ds, nil
}

// notify hands an alert to the routes that it matches.
func (m *Manager) notify(ctx context.Context, occurrence *monitor.Alert, id string) {
	if len(m.outboxes) == 0 {
		return
	}
	a, err := m.Get(ctx, monitor.AlertRef{Organization: occurrence.OrganizationID, ID: id})
	if err != nil { // better to notify of the occurrence than of nothing
		o := *occurrence
		o.ID, o.Status = id, monitor.AlertActive
		a = o.Detach()
	}
	for _, o := range m.outboxes {
		if o.route.matches(a) {
			o.post(ctx, a)
		}
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
	m.repeats.forget()
	// What was held in between is stored now; a failure is kept for Health and
	// the repeats for the next time.
	_ = m.Flush(ctx)
	return a, err
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
	if len(batch.alerts) == 0 {
		m.repeats.done(batch, nil)
		return nil
	}
	as := make([]*monitor.Alert, len(batch.alerts))
	for i := range batch.alerts {
		as[i] = &batch.alerts[i]
	}
	ds, err := m.store(ctx, as, epoch)
	if err != nil {
		m.repeats.done(batch, err)
		return fmt.Errorf("alerting: flush: %w", err)
	}
	m.count(as, ds)
	m.repeats.done(batch, nil)
	return nil
}

// count measures what the monitor was not told of occurrences that were held.
func (m *Manager) count(as []*monitor.Alert, ds []monitor.Disposition) {
	if m.metrics == nil {
		return
	}
	for i, d := range ds {
		if d.Notify == monitor.NotifySuppressed {
			m.metrics.Record(context.Background(), monitor.Measurement{
				Metric: monitor.AlertsSuppressed, Value: 1, Attribute: as[i].Finding.Rule,
			})
		}
	}
}

// Run flushes and delivers until ctx is cancelled. Then it flushes once more,
// tries every waiting notification a last time, for up to ten seconds, and
// returns an error if something could not be stored or delivered; that is still
// there for another Run.
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
	stopRoutes := make(chan struct{})
	var routes sync.WaitGroup
	for _, o := range m.outboxes {
		o.start()
		routes.Go(func() { o.run(work, stopRoutes) })
	}

	m.flushUntil(ctx)

	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), lastFlushTimeout)
	defer cancelLast()
	m.repeats.activate(false)
	errs := []error{m.Flush(last)}
	close(stopRoutes)
	routes.Wait()
	for _, o := range m.outboxes {
		errs = append(errs, o.finish(last))
	}
	cancel()
	return errors.Join(append(errs, <-storeDone)...)
}

// runStore runs the store until ctx is cancelled.
func (m *Manager) runStore(ctx context.Context) error {
	if r, ok := m.Store.(monitor.Runner); ok {
		return r.Run(ctx)
	}
	<-ctx.Done()
	return nil
}

// flushUntil flushes every interval until ctx is cancelled.
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

// Health says whether flushing and notifying work.
func (m *Manager) Health(ctx context.Context) monitor.ComponentHealth {
	h := monitor.ComponentHealth{Name: "alerting"}
	var messages []string
	add := func(status monitor.HealthStatus, message string) {
		h.Status = max(h.Status, status)
		if message != "" {
			messages = append(messages, message)
		}
	}
	if held, err := m.repeats.state(); err != nil {
		add(monitor.HealthCritical, fmt.Sprintf("%d repeats not stored yet: %v", held, err))
	}
	for _, o := range m.outboxes {
		add(o.health())
	}
	if r, ok := m.Store.(monitor.HealthReporter); ok {
		store := r.Health(ctx)
		add(store.Status, store.Message)
	}
	h.Message = strings.Join(messages, "; ")
	return h
}
