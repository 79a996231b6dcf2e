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

// Damps reports whether [Policy.Opened] needs the earlier alerts.
func (p *Policy) Damps() bool { return p.settings.Damping != alerting.Damping{} }

// suppressedUntil returns when the suppressions of an alert end that last at a time, or
// an earlier time at which to ask again. It is zero if there are none.
func (p *Policy) suppressedUntil(a *monitor.Alert, at time.Time) (until time.Time) {
	for i := range p.suppressions {
		if s := &p.suppressions[i]; s.covers(a) && s.window.Contains(at) {
			until = later(until, s.window.Ends(at))
		}
	}
	return until
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
