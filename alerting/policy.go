package alerting

import (
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Policy is valid [Settings], ready to decide. It is immutable and safe for
// concurrent use.
type Policy struct {
	settings Settings
	cooldown time.Duration
	windows  []window
}

// DefaultPolicy returns the policy of the zero [Settings].
func DefaultPolicy() *Policy { return &Policy{cooldown: DefaultCooldown} }

// Policy checks the settings and returns what they mean. The errors are
// [InvalidError] values.
func (s Settings) Policy() (*Policy, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	p := DefaultPolicy()
	p.settings = s.clone()
	if s.Cooldown != 0 {
		p.cooldown = s.Cooldown
	}
	for i := range p.settings.Suppressions {
		w, err := p.settings.Suppressions[i].compile()
		if err != nil {
			if bad, ok := errors.AsType[*InvalidError](err); ok {
				err = &InvalidError{Field: fmt.Sprintf("Suppressions[%d].%s", i, bad.Field), Err: bad.Err}
			}
			return nil, err
		}
		p.windows = append(p.windows, w)
	}
	return p, nil
}

// Save returns the policy of settings that are to replace those of p, as
// [Store] SaveSettings wants it: their version must be that of p, and goes up by
// one.
func (p *Policy) Save(s Settings, by string, now time.Time) (*Policy, error) {
	if err := CheckActor(by); err != nil {
		return nil, err
	}
	if s.Version != p.settings.Version {
		return nil, fmt.Errorf("alerting: the settings have version %d, not %d: %w",
			p.settings.Version, s.Version, monitor.ErrConflict)
	}
	s = s.clone()
	s.Version++
	s.UpdatedAt, s.UpdatedBy = now, by
	for i := range s.Suppressions {
		if s.Suppressions[i].Author == "" {
			s.Suppressions[i].Author = by
		}
	}
	return s.Policy()
}

// Settings returns a copy of the settings.
func (p *Policy) Settings() Settings { return p.settings.clone() }

// Notify decides whether an occurrence is to be notified. It is given the event
// time of the alert's occurrence that was due last, zero if none was, and that
// of this one. A store remembers the time of an occurrence that is
// [monitor.NotifyDue], and not of one that is held back.
func (p *Policy) Notify(last, at time.Time) monitor.NotifyDecision {
	if p.cooldown >= 0 && !last.IsZero() && at.Before(last.Add(p.cooldown)) {
		return monitor.NotifyNone
	}
	if p.suppressed(at) {
		return monitor.NotifySuppressed
	}
	return monitor.NotifyDue
}
