package alerting

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Manager is what an application uses to work with alerts, and passes as
// [monitor.Config] Alerts. It validates arguments, buffers repeats, delivers
// notifications, and leaves the rest to a store. It is safe for concurrent use.
//
// A repeat is an occurrence of an alert that is already open. While Run is active,
// repeats that do not raise the severity are buffered for up to [ManagerOptions]
// CoalesceInterval and then stored in one call; until then, reads do not include
// them. All other occurrences are stored before StoreOccurrences returns. Flush,
// Resolve and Dismiss store the buffered repeats at once. If a flush fails they stay
// buffered. A process that is killed loses its buffered repeats, usually those of one
// interval, unless a queue that acknowledges after Flush delivers them again. If
// another instance closes an alert, repeats of it that are buffered here open a new
// one.
//
// While Run is active, each route has a worker that delivers notifications. Otherwise
// StoreOccurrences and changes of status deliver before they return, for about 10
// seconds at most, and do not fail if a delivery fails. A failed delivery is tried
// again after a random time below a limit that grows from 1 second to 5 minutes, or
// after [DeliveryError] RetryAfter if that is longer. After five failures in a row, a
// route pauses for 30 seconds. A notification that is refused permanently, or that
// expires, becomes a dead letter.
//
// A notifier may choose the destination by the organization. Therefore a failure, a
// pause and a slow delivery concern one organization: a route goes on with the others,
// and one organization has at most half of its simultaneous deliveries, and only one
// while they fail.
//
// While Run is active, the manager also does what is due according to the [Settings] of
// an organization: it notifies of alerts whose suppression has ended, and escalates and
// resolves alerts.
//
// Methods that take an organization return [monitor.ErrNoOrganization] if it is
// empty, and an [InvalidError] for any other invalid argument.
type Manager struct {
	options  ManagerOptions
	store    driverStore
	tracing  tracing
	intake   *intake
	repeats  *coalescer
	flusher  *flusher
	claims   *claimer // may be nil
	dispatch *dispatcher
	running  chan struct{} // holds a token while Run is active
}

// NewManager returns a manager that uses the given store, which can be any
// driver.Store, such as memalerts.New and pgalerts.New return. Options may be nil.
// NewManager starts no goroutine.
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
	r := &reporter{metrics: o.Metrics, logger: o.Logger}
	m := &Manager{
		options: o,
		store:   store,
		tracing: tracing{o.Tracer, r},
		repeats: newCoalescer(o.MaxBuffered),
		running: make(chan struct{}, 1),
	}
	m.dispatch = newDispatcher(store, o.Routes, o.PollInterval, m.tracing, r)
	if o.Claims != nil && o.CoalesceInterval > 0 {
		m.claims = newClaimer(o.Claims, 2*o.CoalesceInterval)
	}
	m.intake = &intake{store, m.tracing, r, m.repeats, m.claims, m.dispatch}
	m.flusher = newFlusher(m.intake)
	return m, nil
}

// StoreOccurrences stores or buffers occurrences, and delivers or queues the
// notifications that they cause. The disposition of a buffered repeat has NotifyNone,
// although it may cause a notification later.
//
// With an error, the occurrences whose disposition is not [monitor.StoredNothing] are
// stored or buffered all the same, and must not be passed again; without dispositions
// none is. An invalid occurrence does not keep the others from being stored. The error
// then wraps [monitor.ErrPermanent] and names the occurrence by its number.
func (m *Manager) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	ds, err := m.intake.take(ctx, os)
	return ds, failed("store occurrences", err)
}

// Flush stores the repeats that are buffered when it is called. If it fails, those that
// could not be stored stay. A repeat that can never be stored is dropped, counted as
// [monitor.OccurrencesRefused] and logged.
func (m *Manager) Flush(ctx context.Context) error { return failed("flush", m.flusher.all(ctx)) }

// Acknowledge records that somebody is working on an active alert. Like Resolve,
// Dismiss and Reopen, it must be told who makes the change, accepts an empty note,
// and returns the changed alert. The error is a [TransitionError] if the alert's
// status does not allow the change, and a [monitor.ErrConflict] if ref has a version
// that is not the alert's. Of two concurrent acknowledgments, one succeeds.
func (m *Manager) Acknowledge(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.change(ctx, "acknowledge alert", ref, monitor.AlertAcknowledged, by, note)
}

// Resolve closes an open alert that has been dealt with. It first stores the repeats of
// the organization that are buffered.
func (m *Manager) Resolve(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.change(ctx, "resolve alert", ref, monitor.AlertResolved, by, note)
}

// Dismiss closes an open alert that needed no action. It first stores the repeats of
// the organization that are buffered.
func (m *Manager) Dismiss(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.change(ctx, "dismiss alert", ref, monitor.AlertDismissed, by, note)
}

// Reopen makes a closed alert active again. It returns [monitor.ErrConflict] if
// another alert with the same fingerprint is open.
func (m *Manager) Reopen(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return m.change(ctx, "reopen alert", ref, monitor.AlertActive, by, note)
}

// change changes the status of an alert and notifies. Before it closes an alert, it
// stores the repeats of the organization, so that the alert has all earlier occurrences.
// Then it forgets which alerts were open.
func (m *Manager) change(
	ctx context.Context, operation string, ref monitor.AlertRef, to monitor.AlertStatus, by, note string,
) (*monitor.Alert, error) {
	err, closes := checkChange(ref, by, note), !to.Open()
	if err == nil && closes {
		err = m.flusher.of(ctx, ref.Organization)
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
		m.repeats.forget(ref.Organization)
		// This stores what was buffered meanwhile. If it fails, Health reports the
		// error and the repeats stay buffered.
		_ = m.flusher.of(ctx, ref.Organization)
	}
	if err == nil {
		m.dispatch.post(ctx)
	}
	return a, err
}

// call calls the store unless err is set, and wraps the error of either. It also
// returns the value that the store returned with an error.
func call[T any](
	ctx context.Context, m *Manager, operation string, err error, f func(context.Context) (T, error),
) (v T, _ error) {
	if err == nil {
		err = m.tracing.operation(ctx, operation, func(ctx context.Context) (err error) {
			v, err = f(ctx)
			return err
		})
	}
	return v, failed(operation, err)
}

// Get returns an alert. It ignores the version in ref, and so does History.
func (m *Manager) Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
	return call(ctx, m, "get alert", checkOrganization(ref.Organization), func(ctx context.Context) (*monitor.Alert, error) {
		a, _, err := m.store.Get(ctx, ref)
		return a, err
	})
}

// History returns the opening of an alert and its changes of status, oldest first.
func (m *Manager) History(ctx context.Context, ref monitor.AlertRef) ([]Change, error) {
	return call(ctx, m, "read history", checkOrganization(ref.Organization), func(ctx context.Context) ([]Change, error) {
		_, history, err := m.store.Get(ctx, ref)
		return history, err
	})
}

// List returns a page of the matching alerts, newest first. The page is read when the
// iteration starts; an error is the last element of the sequence. An alert that
// exists during the whole listing is on exactly one page, whatever is written
// meanwhile.
func (m *Manager) List(ctx context.Context, q Query) iter.Seq2[*monitor.Alert, error] {
	return sequence(func() ([]*monitor.Alert, error) {
		return call(ctx, m, "list alerts", q.check(), func(ctx context.Context) ([]*monitor.Alert, error) {
			return m.store.List(ctx, q)
		})
	})
}

// sequence yields the values that read returns, and then its error.
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

// Count returns the number of matching alerts on all pages.
func (m *Manager) Count(ctx context.Context, q Query) (int, error) {
	return call(ctx, m, "count alerts", q.check(), func(ctx context.Context) (int, error) { return m.store.Count(ctx, q) })
}

// Statistics counts the alerts by status, severity, type, source and rule, and by
// period if the query asks for trends.
func (m *Manager) Statistics(ctx context.Context, q StatisticsQuery) (*Statistics, error) {
	return call(ctx, m, "compute statistics", q.check(), func(ctx context.Context) (*Statistics, error) {
		return m.store.Statistics(ctx, q)
	})
}

// Evidence returns the events that were kept with an alert, by their timestamps: the
// first of those that qualified, if [monitor.Config.Evidence] is set. An alert keeps up to
// 100 events, and 256 KiB of their JSON; its Occurrences tell how many there were. An
// event that [monitor.DecodeEvent] refuses is left out, and named by the error, with
// which the others are returned.
func (m *Manager) Evidence(ctx context.Context, ref monitor.AlertRef) ([]*monitor.Event, error) {
	return call(ctx, m, "read evidence", checkOrganization(ref.Organization), func(ctx context.Context) ([]*monitor.Event, error) {
		texts, err := m.store.Evidence(ctx, ref)
		if err != nil {
			return nil, err
		}
		return decodeEvidence(texts)
	})
}

// Purge deletes the alerts that were closed before the given time, with their
// history, evidence and notifications. It keeps open alerts. It returns the number,
// even with an error. Organization may be [AllOrganizations].
func (m *Manager) Purge(ctx context.Context, organization string, before time.Time) (int, error) {
	return call(ctx, m, "purge alerts", checkScope(organization), func(ctx context.Context) (int, error) {
		return m.store.Purge(ctx, organization, before)
	})
}

// Erase removes the name of a principal from the alerts of an organization. It
// deletes the alerts whose key is the name, open ones too, with their history,
// evidence and notifications, and the events that have the name from the evidence of
// others. In all other alerts and their history it replaces the name, where it stands
// between characters that are no letters or digits, by "[erased]". Case matters. It
// does not look into settings.
//
// It first stores the repeats of the organization that are buffered. What is stored
// during the call may be missed, and a later event of the principal opens a new alert.
// Erase returns what it has done, even with an error, and can be repeated.
func (m *Manager) Erase(ctx context.Context, organization, name string) (Erased, error) {
	err := cmp.Or(checkOrganization(organization), checkName(name))
	if err == nil {
		err = m.flusher.of(ctx, organization)
	}
	erased, err := call(ctx, m, "erase name", err, func(ctx context.Context) (Erased, error) {
		return m.store.Erase(ctx, organization, name)
	})
	m.repeats.forget(organization)
	return erased, err
}

// Settings returns the settings that were last saved for the organization, or zero
// settings if there are none.
func (m *Manager) Settings(ctx context.Context, organization string) (Settings, error) {
	return call(ctx, m, "read settings", checkOrganization(organization), func(ctx context.Context) (Settings, error) {
		return m.store.Settings(ctx, organization)
	})
}

// AllSettings returns the settings that were last saved, by organization. Together with
// an error about settings that cannot be read it returns all others.
func (m *Manager) AllSettings(ctx context.Context) (map[string]Settings, error) {
	return call(ctx, m, "read all settings", nil, m.store.AllSettings)
}

// SaveSettings replaces an organization's settings and returns them with their new
// version. The Version of s must be that of the current settings, or 0 if there are
// none; otherwise the error is a [monitor.ErrConflict]. Settings that [Settings.Validate]
// refuses, or that name a rule or a route that [ManagerOptions] does not have, are an
// [InvalidError], which has the name. An instance without routes cannot know them, and
// takes any.
func (m *Manager) SaveSettings(ctx context.Context, organization string, s Settings, by string) (Settings, error) {
	err := cmp.Or(checkOrganization(organization), checkActor(by), s.Validate(), s.checkNames(m.options.Rules, m.options.Routes))
	return call(ctx, m, "save settings", err, func(ctx context.Context) (Settings, error) {
		return m.store.SaveSettings(ctx, organization, s, by)
	})
}

// Backlog returns the size of the outbox for all organizations together.
func (m *Manager) Backlog(ctx context.Context) (Backlog, error) {
	return call(ctx, m, "read backlog", nil, m.store.Backlog)
}

// DeadLetters returns the matching dead letters, oldest first. They are read when the
// iteration starts. An error is the last element of the sequence.
func (m *Manager) DeadLetters(ctx context.Context, q DeadLetterQuery) iter.Seq2[*Notification, error] {
	return sequence(func() ([]*Notification, error) {
		return call(ctx, m, "list dead letters", q.check(), func(ctx context.Context) ([]*Notification, error) {
			return m.store.DeadLetters(ctx, q)
		})
	})
}

// Redrive queues the dead letters of a route for delivery again, with no attempts
// made and a new CreatedAt, so that they do not expire at once. It returns their number.
// Organization may be [AllOrganizations].
func (m *Manager) Redrive(ctx context.Context, organization, route string) (int, error) {
	n, err := call(ctx, m, "redrive dead letters", checkScope(organization), func(ctx context.Context) (int, error) {
		return m.store.Redrive(ctx, organization, route)
	})
	if n > 0 {
		m.dispatch.post(ctx)
	}
	return n, err
}
