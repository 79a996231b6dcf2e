package alerting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Manager is what an application holds to work with alerts, and what it passes as
// [monitor.Config] Alerts. It validates what it is given, buffers repeats of open
// alerts, delivers notifications, and leaves the rest to a store. It is safe for
// concurrent use.
//
// The first occurrence of an alert is in the store before StoreOccurrences returns.
// While Run is active, repeats are buffered for up to an interval and then stored in
// one call; until then, an alert that is read lacks them. Flush stores them at once,
// and so do Resolve and Dismiss. A flush that fails is repeated, so that nothing is
// dropped while the process lives. A process that is killed loses at most an interval
// of repeats; a queue that acknowledges after Flush delivers them again. If another
// instance closes an alert, the repeats that this one has buffered open the next.
//
// While Run is active, each route has a worker that delivers. Without Run,
// StoreOccurrences and the changes of status deliver before they return, and do not
// fail if a delivery fails. While Run is active, a failed delivery is tried again
// after a random time below a limit that grows from 1 second to 5 minutes, or when
// the destination asks for it. A route whose deliveries fail five times in a row
// pauses for 30 seconds. A notification that its destination refuses permanently, or
// that expires, becomes a dead letter.
//
// While Run is active, the manager also escalates and resolves the alerts that are
// due according to [Settings].
//
// Methods that are about one organization fail with [monitor.ErrNoOrganization] if
// it is empty. Bad input is an [InvalidError].
type Manager struct {
	options  ManagerOptions
	store    driverStore
	tracing  tracing
	reporter *reporter
	repeats  *coalescer
	claims   *claimer // nil without
	dispatch *dispatcher
	flushing chan struct{} // holds a token while a flush is under way
	running  chan struct{} // holds a token while Run is active
}

// NewManager returns a manager for a store, which is a driver.Store, such as
// memalerts.New and pgalerts.New return. Options may be nil. It starts nothing.
func NewManager(store driverStore, options *ManagerOptions) (*Manager, error) {
	var o ManagerOptions
	if options != nil {
		o = *options
	}
	err := o.check()
	if store == nil {
		err = errors.Join(err, invalid("Store", "missing"))
	}
	if err != nil {
		return nil, failed("make manager", err)
	}
	o = o.withDefaults()
	m := &Manager{
		options:  o,
		store:    store,
		tracing:  tracing{o.Tracer},
		reporter: &reporter{o.Metrics, o.Logger},
		repeats:  newCoalescer(o.MaxBuffered),
		flushing: make(chan struct{}, 1),
		running:  make(chan struct{}, 1),
	}
	m.dispatch = newDispatcher(store, o.Routes, o.PollInterval, m.tracing, m.reporter)
	if o.Claims != nil && o.CoalesceInterval > 0 {
		m.claims = newClaimer(o.Claims, 2*o.CoalesceInterval)
	}
	return m, nil
}

// StoreOccurrences stores occurrences or buffers them, and notifies. If one of them
// is not valid, none is stored.
func (m *Manager) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	for i, o := range os {
		if err := checkOccurrence(o); err != nil {
			return nil, fmt.Errorf("alerting: store occurrences: number %d: %w", i, err)
		}
	}
	if m.claims != nil {
		unknown, epoch := m.repeats.unknown(os)
		m.repeats.believe(epoch, m.claims.lookup(ctx, unknown))
	}
	ds, rest, places, epoch := m.repeats.hold(os)
	if len(rest) == 0 {
		return ds, nil
	}
	stored, err := m.storeRest(ctx, rest, epoch)
	if err != nil {
		return nil, failed("store occurrences", err)
	}
	if ds == nil {
		return stored, nil
	}
	for i, place := range places {
		ds[place] = stored[i]
	}
	return ds, nil
}

// storeRest writes occurrences to the store and notifies.
func (m *Manager) storeRest(ctx context.Context, os []*monitor.Occurrence, epoch int) ([]monitor.Disposition, error) {
	op, end := m.tracing.operation(ctx, "store occurrences")
	ds, err := m.store.StoreOccurrences(op, os)
	if err == nil && len(ds) != len(os) {
		err = fmt.Errorf("the store returned %d dispositions for %d occurrences", len(ds), len(os))
	}
	end(err)
	if err != nil {
		return nil, err
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

// Flush stores the repeats that were buffered when it was called. After an error
// they are still buffered.
func (m *Manager) Flush(ctx context.Context) error { return failed("flush", m.flush(ctx)) }

func (m *Manager) flush(ctx context.Context) error {
	select {
	case m.flushing <- struct{}{}:
		defer func() { <-m.flushing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	batch, epoch := m.repeats.take()
	if len(batch.occurrences) == 0 {
		m.repeats.done(batch, nil)
		return nil
	}
	os := make([]*monitor.Occurrence, len(batch.occurrences))
	for i := range batch.occurrences {
		os[i] = &batch.occurrences[i]
	}
	ds, err := m.storeRest(ctx, os, epoch)
	if err == nil {
		m.count(ctx, os, ds)
	}
	m.reporter.note(ctx, &m.repeats.flushes, "repeats", err)
	m.repeats.done(batch, err)
	return err
}

// count counts what the monitor was not told of occurrences that were buffered.
func (m *Manager) count(ctx context.Context, os []*monitor.Occurrence, ds []monitor.Disposition) {
	for i, d := range ds {
		if d.Stored == monitor.StoredNew { // the alert that was open is closed
			m.reporter.count(ctx, monitor.AlertsCreated, os[i].Finding.Rule, 1)
		}
		if d.Notify == monitor.NotifySuppressed {
			m.reporter.count(ctx, monitor.AlertsSuppressed, os[i].Finding.Rule, 1)
		}
	}
}

// Acknowledge records that somebody looks after an active alert. Like Resolve,
// Dismiss and Reopen it must be told by whom, takes a note that may be empty, and
// returns the alert as it is then. A change that the alert's status does not allow
// is a [TransitionError], and one that was decided on another version than that of
// ref is a [monitor.ErrConflict]. Of two concurrent acknowledgements one succeeds.
func (m *Manager) Acknowledge(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.change(ctx, "acknowledge alert", ref, monitor.AlertAcknowledged, by, note)
}

// Resolve flushes, and closes an open alert.
func (m *Manager) Resolve(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.change(ctx, "resolve alert", ref, monitor.AlertResolved, by, note)
}

// Dismiss flushes, and closes an open alert that nothing had to be done about.
func (m *Manager) Dismiss(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.change(ctx, "dismiss alert", ref, monitor.AlertDismissed, by, note)
}

// Reopen makes a closed alert active again. It is a [monitor.ErrConflict] if another
// alert of its fingerprint is open.
func (m *Manager) Reopen(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.change(ctx, "reopen alert", ref, monitor.AlertActive, by, note)
}

// change changes the status of an alert and notifies. An alert that it closes has
// all occurrences that came before, and none that comes after is taken for a repeat.
func (m *Manager) change(
	ctx context.Context, operation string, ref monitor.AlertRef, to monitor.AlertStatus, by, note string,
) (*monitor.Alert, error) {
	err, closes := checkChange(ref, by, note), !to.Open()
	if err == nil && closes {
		err = m.flush(ctx)
	}
	if err != nil {
		return nil, failed(operation, err)
	}
	a, err := call(ctx, m, operation, nil, func(ctx context.Context) (*monitor.Alert, error) {
		return m.store.Change(ctx, ref, to, by, note)
	})
	if closes {
		if err == nil && m.claims != nil {
			m.claims.release(ctx, a)
		}
		m.repeats.forget()
		// What was buffered in between is stored now. A failure is kept for Health,
		// and the repeats for the next time.
		_ = m.flush(ctx)
	}
	if err == nil {
		m.dispatch.post(ctx)
	}
	return a, err
}

// call makes a call to the store unless there is an error already, and wraps its
// error. What comes with an error is passed on.
func call[T any](
	ctx context.Context, m *Manager, operation string, err error, f func(context.Context) (T, error),
) (v T, _ error) {
	if err == nil {
		op, end := m.tracing.operation(ctx, operation)
		v, err = f(op)
		end(err)
	}
	return v, failed(operation, err)
}

// Get returns an alert.
func (m *Manager) Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
	return call(ctx, m, "get alert", checkOrganization(ref.Organization), func(ctx context.Context) (*monitor.Alert, error) {
		a, _, err := m.store.Get(ctx, ref)
		return a, err
	})
}

// History returns the changes of an alert's status, oldest first.
func (m *Manager) History(ctx context.Context, ref monitor.AlertRef) ([]Change, error) {
	return call(ctx, m, "read history", checkOrganization(ref.Organization), func(ctx context.Context) ([]Change, error) {
		_, history, err := m.store.Get(ctx, ref)
		return history, err
	})
}

// List returns a page of the alerts that match, newest first. It is read when the
// iteration begins. An error is the last thing that the sequence yields. Alerts that
// exist throughout appear exactly once on the pages of a listing, whatever is
// written meanwhile.
func (m *Manager) List(ctx context.Context, q Query) iter.Seq2[*monitor.Alert, error] {
	return sequence(func() ([]*monitor.Alert, error) {
		return call(ctx, m, "list alerts", q.check(), func(ctx context.Context) ([]*monitor.Alert, error) {
			return m.store.List(ctx, q)
		})
	})
}

// sequence yields what read returns, and then its error.
func sequence[T any](read func() ([]*T, error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		page, err := read()
		for _, v := range page {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// Count returns the number of alerts that match, on all pages together.
func (m *Manager) Count(ctx context.Context, q Query) (int, error) {
	return call(ctx, m, "count alerts", q.check(), func(ctx context.Context) (int, error) { return m.store.Count(ctx, q) })
}

// Statistics summarizes the alerts.
func (m *Manager) Statistics(ctx context.Context, q StatisticsQuery) (*Statistics, error) {
	return call(ctx, m, "compute statistics", q.check(), func(ctx context.Context) (*Statistics, error) {
		return m.store.Statistics(ctx, q)
	})
}

// Purge deletes the alerts that were closed before that time, with their history,
// and returns their number, also with an error. Open alerts stay.
func (m *Manager) Purge(ctx context.Context, organization string, before time.Time) (int, error) {
	return call(ctx, m, "purge alerts", checkOrganization(organization), func(ctx context.Context) (int, error) {
		return m.store.Purge(ctx, organization, before)
	})
}

// Settings returns the settings that the organization saved last, or zero settings.
func (m *Manager) Settings(ctx context.Context, organization string) (Settings, error) {
	return call(ctx, m, "read settings", checkOrganization(organization), func(ctx context.Context) (Settings, error) {
		return m.store.Settings(ctx, organization)
	})
}

// SaveSettings replaces an organization's settings and returns them with their new
// version. Their version must be that of the settings they replace, 0 for the first;
// otherwise the error is a [monitor.ErrConflict].
func (m *Manager) SaveSettings(ctx context.Context, organization string, s Settings, by string) (Settings, error) {
	err := cmp.Or(checkOrganization(organization), checkActor(by), s.Validate())
	return call(ctx, m, "save settings", err, func(ctx context.Context) (Settings, error) {
		return m.store.SaveSettings(ctx, organization, s, by)
	})
}

// Backlog returns the size of the outbox, for all organizations.
func (m *Manager) Backlog(ctx context.Context) (Backlog, error) {
	return call(ctx, m, "read backlog", nil, m.store.Backlog)
}

// DeadLetters returns the notifications that are not delivered any more, oldest
// first. They are read when the iteration begins. An error is the last thing that
// the sequence yields.
func (m *Manager) DeadLetters(ctx context.Context, q DeadLetterQuery) iter.Seq2[*Notification, error] {
	return sequence(func() ([]*Notification, error) {
		return call(ctx, m, "list dead letters", q.check(), func(ctx context.Context) ([]*Notification, error) {
			return m.store.DeadLetters(ctx, q)
		})
	})
}

// Redrive makes the dead letters of a route due again, with no attempts made, and
// returns their number. The organization may be [AllOrganizations].
func (m *Manager) Redrive(ctx context.Context, organization, route string) (int, error) {
	n, err := call(ctx, m, "redrive dead letters", checkScope(organization), func(ctx context.Context) (int, error) {
		return m.store.Redrive(ctx, organization, route)
	})
	if n > 0 {
		m.dispatch.post(ctx)
	}
	return n, err
}
