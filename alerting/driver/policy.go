package driver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// A Policy makes the decisions that depend on the settings of an organization. It is
// immutable and safe for concurrent use.
type Policy struct {
	settings     alerting.Settings
	cooldown     time.Duration
	suppressions []suppression
}

// DefaultPolicy returns the policy of zero settings.
func DefaultPolicy() *Policy { return &Policy{cooldown: alerting.DefaultCooldown} }

// NewPolicy returns the policy of settings, or an [alerting.InvalidError].
func NewPolicy(s alerting.Settings) (*Policy, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	p := DefaultPolicy()
	p.settings = s.Clone()
	if s.Cooldown != 0 {
		p.cooldown = s.Cooldown
	}
	all := slices.Clone(p.settings.Silences)
	for _, s := range p.settings.Suppressions {
		all = append(all, alerting.Silence{Suppression: s})
	}
	for i := range all {
		s, err := newSuppression(&all[i])
		if err != nil {
			return nil, err // impossible, since the settings are valid
		}
		p.suppressions = append(p.suppressions, s)
	}
	return p, nil
}

// Save returns the policy of settings that replace those of p; it does not store
// them. Their version must be that of p, or 0 if nothing was saved before; otherwise
// the error is a [monitor.ErrConflict]. The returned settings have the next version.
func (p *Policy) Save(s alerting.Settings, by string, now time.Time) (*Policy, error) {
	if s.Version != p.settings.Version {
		return nil, fmt.Errorf("the settings have version %d, not %d: %w", p.settings.Version, s.Version, monitor.ErrConflict)
	}
	s = s.Clone()
	s.Version++
	s.UpdatedAt, s.UpdatedBy = now, strings.Clone(by)
	for i := range s.Suppressions {
		s.Suppressions[i].Author = cmp.Or(s.Suppressions[i].Author, s.UpdatedBy)
	}
	for i := range s.Silences {
		s.Silences[i].Author = cmp.Or(s.Silences[i].Author, s.UpdatedBy)
	}
	return NewPolicy(s)
}

// Settings returns a deep copy of the policy's settings.
func (p *Policy) Settings() alerting.Settings { return p.settings.Clone() }

// Notify decides whether an occurrence of an alert causes a notification; it sends
// nothing. Of the alert, it reads Severity and the Finding's Rule and Key. At is the
// LastSeen of the occurrence. Last is what [Notified] returned for the alert's
// latest occurrence with [monitor.NotifyDue], or zero if there is none.
func (p *Policy) Notify(a *monitor.Alert, last, at, now time.Time) monitor.NotifyDecision {
	at = Notified(at, now)
	if p.cooldown >= 0 && !last.IsZero() && !last.After(now) && at.Before(last.Add(p.cooldown)) {
		return monitor.NotifyNone
	}
	if p.suppressed(a, at) {
		return monitor.NotifySuppressed
	}
	return monitor.NotifyDue
}

// Notified returns the time that a store keeps of an occurrence with
// [monitor.NotifyDue]: its LastSeen, but no later than now. A time in the future would
// end all notifications of the alert.
func Notified(lastSeen, now time.Time) time.Time {
	if lastSeen.After(now) {
		return now
	}
	return lastSeen
}

// suppressed reports whether an alert is suppressed at a time.
func (p *Policy) suppressed(a *monitor.Alert, at time.Time) bool {
	return slices.ContainsFunc(p.suppressions, func(s suppression) bool { return s.covers(a) && s.window.Contains(at) })
}
