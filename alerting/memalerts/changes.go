package memalerts

import (
	"context"
	"fmt"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// Change implements [driver.Store].
func (s *Store) Change(
	ctx context.Context, ref monitor.AlertRef, to monitor.AlertStatus, by, note string,
) (*monitor.Alert, error) {
	org, rec, err := s.holdAlert(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer s.release(ctx, org)
	if err := org.change(rec, to, ref.Version, by, note, s.clock.now()); err != nil {
		return nil, err
	}
	org.trusted = true
	return rec.alert.Clone(), nil
}

// RunTimers implements [driver.Store]. Organizations take turns, and each is released
// after some timers.
func (s *Store) RunTimers(ctx context.Context) (escalated, resolved int, err error) {
	began := s.clock.now()
	for err == nil {
		if err = ctx.Err(); err != nil {
			break
		}
		name, due := s.registry.nextTimers(began)
		if !due {
			break
		}
		org := s.hold(name)
		if org == nil {
			continue
		}
		e, r, failed := org.runTimers(s.clock.now())
		s.release(ctx, org)
		escalated, resolved, err = escalated+e, resolved+r, failed
	}
	return escalated, resolved, err
}

// Settings implements [driver.Store].
func (s *Store) Settings(ctx context.Context, organization string) (alerting.Settings, error) {
	return s.policy(ctx, organization).Settings(), nil
}

// AllSettings implements [driver.Store].
func (s *Store) AllSettings(ctx context.Context) (map[string]alerting.Settings, error) {
	all := map[string]alerting.Settings{}
	for org := range s.each(ctx, alerting.AllOrganizations) {
		if !org.saved.IsZero() {
			all[org.name] = org.policy.Settings()
		}
	}
	return all, nil
}

func (s *Store) policy(ctx context.Context, organization string) *driver.Policy {
	org := s.hold(organization)
	if org == nil {
		return s.defaults
	}
	defer s.release(ctx, org)
	return org.policy
}

// SaveSettings implements [driver.Store]. It creates the new policy without holding
// the organization, since that may read the time zone database, and leaves the timers
// of its alerts to RunTimers.
func (s *Store) SaveSettings(
	ctx context.Context, organization string, settings alerting.Settings, by string,
) (alerting.Settings, error) {
	current, now := s.policy(ctx, organization), s.clock.now()
	next, err := current.Save(settings, by, now)
	if err != nil {
		return alerting.Settings{}, err
	}
	org := s.holdNew(organization)
	defer s.release(ctx, org)
	if org.policy != current {
		return alerting.Settings{}, fmt.Errorf("somebody else saved settings at the same time: %w", monitor.ErrConflict)
	}
	org.setPolicy(next, now)
	return next.Settings(), nil
}
