package memalerts

import (
	"context"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Settings implements [alerting.Store].
func (s *Store) Settings(_ context.Context, name string) (alerting.Settings, error) {
	if err := alerting.ValidateOrganization(name); err != nil {
		return alerting.Settings{}, fmt.Errorf("memalerts: read settings: %w", err)
	}
	return s.policy(name).Settings(), nil
}

func (s *Store) policy(name string) *alerting.Policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	if org := s.organizations[name]; org != nil {
		return org.policy
	}
	return s.defaults
}

// SaveSettings implements [alerting.Store].
func (s *Store) SaveSettings(_ context.Context, name string, settings alerting.Settings, by string) (alerting.Settings, error) {
	next, err := s.savePolicy(name, settings, by)
	if err != nil {
		return alerting.Settings{}, fmt.Errorf("memalerts: save settings: %w", err)
	}
	return next.Settings(), nil
}

// savePolicy makes the new policy outside the lock, as that may read the time
// zone database.
func (s *Store) savePolicy(name string, settings alerting.Settings, by string) (*alerting.Policy, error) {
	if err := alerting.ValidateOrganization(name); err != nil {
		return nil, err
	}
	current := s.policy(name)
	next, err := current.Save(settings, by, time.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	org := s.organization(name)
	if org.policy != current {
		return nil, fmt.Errorf("saved by somebody else meanwhile: %w", monitor.ErrConflict)
	}
	org.policy = next
	org.resetTimers()
	return next, nil
}
