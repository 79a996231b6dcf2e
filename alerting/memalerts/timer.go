package memalerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Advance implements [alerting.Store]. It costs nothing for organizations of
// which nothing is due.
func (s *Store) Advance(_ context.Context, limit int) (alerting.Progress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var p alerting.Progress
	var errs []error
	now := s.now()
	for _, org := range s.organizations {
		if org.due.IsZero() || org.due.After(now) {
			continue
		}
		org.due = time.Time{}
		for _, rec := range org.alerts {
			if due := rec.timer.Due; p.Looked < limit && !due.IsZero() && !due.After(now) {
				p.Looked++
				errs = append(errs, s.advance(org, rec, &p, now))
			}
			org.expect(rec.timer.Due)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return p, fmt.Errorf("memalerts: advance alerts: %w", err)
	}
	return p, nil
}

// advance does what is due of an alert.
func (s *Store) advance(org *organization, rec *record, p *alerting.Progress, now time.Time) error {
	tick := org.policy.Tick(rec.alert, rec.timer, now)
	rec.timer = tick.Timer
	switch tick.Reason {
	case alerting.ReasonEscalated:
		key, reason := alerting.EscalationNotification(rec.alert.ID, tick.Timer.Version, tick.Timer.Step)
		s.notify(org, rec, key, reason, tick.Targets)
		p.Escalated++
	case alerting.ReasonResolved:
		p.Resolved++
		return s.changeStatus(org, rec, monitor.AlertResolved, 0, alerting.SystemActor, tick.Note, now)
	default:
	}
	return nil
}

// expect makes Advance look at the organization then.
func (o *organization) expect(due time.Time) {
	if !due.IsZero() && (o.due.IsZero() || due.Before(o.due)) {
		o.due = due
	}
}

// setTimer sets an alert's timer.
func (o *organization) setTimer(rec *record, t alerting.Timer) {
	rec.timer = t
	o.expect(t.Due)
}

// resetTimers makes the timers follow the organization's policy.
func (o *organization) resetTimers() {
	for _, rec := range o.alerts {
		if rec.alert.Status.Open() {
			rec.timer.Due = o.policy.Due(rec.alert, rec.timer)
			o.expect(rec.timer.Due)
		}
	}
}
