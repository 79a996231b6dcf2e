package memalerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// Change implements [driver.Store].
func (s *Store) Change(
	_ context.Context, ref monitor.AlertRef, to monitor.AlertStatus, by, note string,
) (*monitor.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	org, rec, err := s.find(ref)
	if err == nil {
		err = s.change(org, rec, to, ref.Version, by, note, s.now())
	}
	if err != nil {
		return nil, err
	}
	return rec.alert.Clone(), nil
}

// change changes the status of an alert and creates the notification.
func (s *Store) change(
	org *organization, rec *record, to monitor.AlertStatus, version int64, by, note string, now time.Time,
) error {
	from, current := rec.alert.Status, org.current[rec.alert.Fingerprint]
	if to.Open() && !from.Open() && current != nil && current.alert.Status.Open() {
		return fmt.Errorf("alert %s of the same fingerprint is open: %w", current.alert.ID, monitor.ErrConflict)
	}
	c, err := driver.ChangeStatus(rec.alert, to, version, by, note, now)
	if err != nil {
		return err
	}
	org.changed(rec)
	rec.history = append(rec.history, c)
	key, reason := driver.ChangeNotification(rec.alert.ID, &c)
	s.notify(org, rec, key, reason, nil)
	return nil
}

// timerChunk is the number of timers that run before the mutex is released briefly.
const timerChunk = 100

// RunTimers implements [driver.Store]. It skips organizations without due timers.
func (s *Store) RunTimers(ctx context.Context) (escalated, resolved int, err error) {
	for more := true; more && err == nil; err = errors.Join(err, ctx.Err()) {
		var e, r int
		e, r, more, err = s.runTimers()
		escalated, resolved = escalated+e, resolved+r
	}
	return escalated, resolved, err
}

// runTimers runs a chunk of timers and reports whether there may be more.
func (s *Store) runTimers() (escalated, resolved int, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	run := 0
	now := s.now()
	for _, org := range s.organizations {
		if org.due.IsZero() || org.due.After(now) {
			continue
		}
		org.due = time.Time{}
		for _, rec := range org.alerts {
			if rec.gone {
				continue
			}
			if due := rec.timer.Due; run < timerChunk && !due.IsZero() && !due.After(now) {
				run++
				reason, failed := s.runTimer(org, rec, now)
				err = errors.Join(err, failed)
				switch reason {
				case alerting.ReasonEscalated:
					escalated++
				case alerting.ReasonResolved:
					resolved++
				default:
				}
			}
			org.expect(rec.timer.Due)
		}
	}
	return escalated, resolved, run == timerChunk, err
}

// runTimer escalates or resolves an alert if that is due, and returns the reason.
func (s *Store) runTimer(org *organization, rec *record, now time.Time) (alerting.Reason, error) {
	tick := org.policy.Tick(rec.alert, rec.timer, now)
	rec.timer = tick.Timer
	switch tick.Reason {
	case alerting.ReasonEscalated:
		key, reason := driver.EscalationNotification(rec.alert.ID, tick.Timer.Version, tick.Timer.Step)
		s.notify(org, rec, key, reason, tick.Targets)
	case alerting.ReasonResolved:
		return tick.Reason, s.change(org, rec, monitor.AlertResolved, 0, alerting.SystemActor, tick.Note, now)
	default:
	}
	return tick.Reason, nil
}

// Purge implements [driver.Store].
func (s *Store) Purge(_ context.Context, organization string, before time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if org := s.organizations[organization]; org != nil {
		return org.purge(before), nil
	}
	return 0, nil
}

// Settings implements [driver.Store].
func (s *Store) Settings(_ context.Context, organization string) (alerting.Settings, error) {
	return s.policy(organization).Settings(), nil
}

func (s *Store) policy(organization string) *driver.Policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	if org := s.organizations[organization]; org != nil {
		return org.policy
	}
	return s.defaults
}

// SaveSettings implements [driver.Store]. It creates the new policy without holding
// the mutex, since that may read the time zone database.
func (s *Store) SaveSettings(
	_ context.Context, organization string, settings alerting.Settings, by string,
) (alerting.Settings, error) {
	current := s.policy(organization)
	next, err := current.Save(settings, by, time.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		return alerting.Settings{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	org := s.organization(organization)
	if org.policy != current {
		return alerting.Settings{}, fmt.Errorf("somebody else saved settings at the same time: %w", monitor.ErrConflict)
	}
	org.setPolicy(next)
	return next.Settings(), nil
}
