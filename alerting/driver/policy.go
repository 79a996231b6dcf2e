package driver

import (
	"fmt"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/internal/window"
	"github.com/auditwarden/auditwarden/monitor"
)

// A Policy decides by the settings of an organization. It is immutable and safe for
// concurrent use.
type Policy struct {
	settings alerting.Settings
	cooldown time.Duration
	windows  []window.Window
}

// DefaultPolicy returns the policy of zero settings.
func DefaultPolicy() *Policy { return &Policy{cooldown: alerting.DefaultCooldown} }

// NewPolicy returns the policy of settings. The error is an
// [alerting.InvalidError].
func NewPolicy(s alerting.Settings) (*Policy, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	p := DefaultPolicy()
	p.settings = s.Clone()
	if s.Cooldown != 0 {
		p.cooldown = s.Cooldown
	}
	for _, sup := range s.Suppressions {
		w, _, err := window.Parse(window.Spec{
			Start: sup.Start, End: sup.End, TimeZone: sup.TimeZone, Weekdays: sup.Weekdays, From: sup.From, Until: sup.Until,
		})
		if err != nil {
			return nil, err // not of settings that are valid
		}
		p.windows = append(p.windows, w)
	}
	return p, nil
}

// Save returns the policy of settings that are to replace those of p. Their version
// must be that of p, which is 0 if nothing was saved before; otherwise the error is
// a [monitor.ErrConflict]. The new settings have the next version.
func (p *Policy) Save(s alerting.Settings, by string, now time.Time) (*Policy, error) {
	if s.Version != p.settings.Version {
		return nil, fmt.Errorf("the settings have version %d, not %d: %w", p.settings.Version, s.Version, monitor.ErrConflict)
	}
	s = s.Clone()
	s.Version++
	s.UpdatedAt, s.UpdatedBy = now, by
	for i := range s.Suppressions {
		if s.Suppressions[i].Author == "" {
			s.Suppressions[i].Author = by
		}
	}
	return NewPolicy(s)
}

// Settings returns a copy of the settings.
func (p *Policy) Settings() alerting.Settings { return p.settings.Clone() }

// Notify decides whether an occurrence is due for notification. It is given the
// event time of the alert's occurrence that was due last, zero if none was, and
// that of this one. A store keeps the time of an occurrence that is
// [monitor.NotifyDue], and not the time of one that is suppressed.
func (p *Policy) Notify(last, at time.Time) monitor.NotifyDecision {
	if p.cooldown >= 0 && !last.IsZero() && at.Before(last.Add(p.cooldown)) {
		return monitor.NotifyNone
	}
	if p.suppressed(at) {
		return monitor.NotifySuppressed
	}
	return monitor.NotifyDue
}

// suppressed reports whether a moment is in one of the windows.
func (p *Policy) suppressed(at time.Time) bool {
	return slices.ContainsFunc(p.windows, func(w window.Window) bool { return w.Contains(at) })
}
