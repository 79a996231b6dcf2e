package alerting

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// DefaultCooldown is the cooldown of [Settings] whose Cooldown is 0.
const DefaultCooldown = 5 * time.Minute

// Limits of settings, see [Settings.Validate].
const (
	maxSuppressions = 100
	maxThresholds   = 1000
	maxEscalations  = 20
	maxTargets      = 20
)

// Settings are the configuration of one organization. The zero value has the
// defaults.
//
// The JSON form of settings is:
//
//	{
//	  "debounceWindow": 15,
//	  "suppressionWindows": [
//	    {"start": "22:00", "end": "02:00", "timezone": "Europe/Berlin", "weekdays": [6], "reason": "backups"}
//	  ],
//	  "silences": [
//	    {"rules": ["failed_auth"], "keys": ["scanner"], "until": "2026-03-01T00:00:00Z", "reason": "penetration test"}
//	  ],
//	  "thresholds": {"failed_auth": {"threshold": 10, "timeWindow": 300000}},
//	  "escalations": {"CRITICAL": [{"after": 900000}, {"after": 3600000, "routes": ["manager"]}]},
//	  "autoResolve": {"LOW": 86400000},
//	  "damping": {"openings": 3, "window": 3600000},
//	  "version": 3
//	}
//
// The member debounceWindow is the cooldown in minutes; 0 disables it. The members
// timeWindow, after and window and the values of autoResolve are in milliseconds. Weekdays
// are numbered from 0 for Sunday. The members failureRateThreshold,
// consecutiveFailureThreshold and escalationDelay are ignored. Any other member that is
// not listed here is refused, see [Settings.UnmarshalJSON].
type Settings struct {
	// Cooldown is the event time that must pass between two notifications about
	// occurrences of an alert, in whole milliseconds. Defaults to [DefaultCooldown];
	// -1 means none.
	Cooldown time.Duration
	// Suppressions are the maintenance windows.
	Suppressions []Suppression
	// Silences are suppressions of some alerts only.
	Silences []Silence
	// Thresholds replace the thresholds of detection rules, by rule name. The manager
	// only stores them; the application must pass them to its rules, for which
	// detect.OverridesFromSettings is there.
	Thresholds map[string]Threshold
	// Escalations are, by the severity of the alert, the steps that are taken one
	// after the other until it is acknowledged. A step that is due during a
	// suppression waits for its end.
	Escalations map[monitor.Severity][]Escalation
	// AutoResolve is, by the severity of the alert, the time without a new occurrence
	// or change of status after which an open alert is resolved automatically, in
	// whole milliseconds by the store's clock. It begins no earlier than with the first
	// notification of the alert.
	AutoResolve map[monitor.Severity]time.Duration
	// Damping limits the notifications about alerts that open and close again and again.
	// Defaults to none.
	Damping Damping

	// Version is the number of times that the settings have been saved.
	Version int64
	// UpdatedAt and UpdatedBy are set when the settings are saved.
	UpdatedAt time.Time
	UpdatedBy string
}

// A Threshold replaces the threshold of a detection rule.
type Threshold struct {
	// Count is the number of events. 0 keeps the number of the rule.
	Count int
	// Window is the time in which the events must occur, in whole milliseconds. 0
	// keeps the window of the rule.
	Window time.Duration
}

// An Escalation is a notification about an alert that nobody acknowledges in time.
type Escalation struct {
	// After is the time since the alert was opened, reopened or became more severe, or
	// since its first notification if that was held back, in whole milliseconds by the
	// store's clock.
	After time.Duration
	// Routes are the names of the routes to notify. If empty, these are the routes
	// that accept notifications of the alert for [ReasonEscalated].
	Routes []string
}

// Validate returns an [InvalidError] if the settings cannot be saved. Durations are
// limited to 365 days, and settings to 100 suppressions, 100 silences with up to 20 rules
// and 20 keys each, 1,000 thresholds, and 20 escalations per severity, each later than
// the one before and with up to 20 routes.
func (s Settings) Validate() error {
	if err := checkMillis("Cooldown", s.Cooldown); err != nil && s.Cooldown != -1 {
		return err
	}
	if err := checkNumber("Thresholds", len(s.Thresholds), maxThresholds); err != nil {
		return err
	}
	for _, rule := range slices.Sorted(maps.Keys(s.Thresholds)) {
		t := s.Thresholds[rule]
		field := "Thresholds[" + rule + "]"
		if err := checkText("Thresholds", rule, maxName); err != nil {
			return err
		}
		if rule == "" {
			return invalid("Thresholds", "contains an empty rule name")
		}
		if t.Count < 0 || t.Count > math.MaxInt32 {
			return invalid(field+".Count", "%d is not between 0 and %d", t.Count, math.MaxInt32)
		}
		if err := checkMillis(field+".Window", t.Window); err != nil {
			return err
		}
	}
	return cmp.Or(
		s.checkEscalations(), s.checkAutoResolve(), s.Damping.check(),
		checkEach("Suppressions", s.Suppressions, (*Suppression).check),
		checkEach("Silences", s.Silences, (*Silence).check),
	)
}

func checkEach[T any](field string, list []T, check func(*T) error) error {
	if err := checkNumber(field, len(list), maxSuppressions); err != nil {
		return err
	}
	for i := range list {
		err := check(&list[i])
		if wrong, ok := errors.AsType[*InvalidError](err); ok {
			return &InvalidError{Field: fmt.Sprintf("%s[%d].%s", field, i, wrong.Field), Err: wrong.Err}
		}
	}
	return nil
}

func (s *Settings) checkEscalations() error {
	for _, severity := range slices.Sorted(maps.Keys(s.Escalations)) {
		field := "Escalations[" + severity.String() + "]"
		steps := s.Escalations[severity]
		if severity > monitor.SeverityCritical {
			return invalid(field, "is not a valid severity")
		}
		if err := checkNumber(field, len(steps), maxEscalations); err != nil {
			return err
		}
		var before time.Duration
		for i, step := range steps {
			if err := checkMillis(field+".After", step.After); err != nil {
				return err
			}
			if step.After <= before {
				return invalid(field+".After", "%v of number %d is not more than %v", step.After, i, before)
			}
			before = step.After
			if len(step.Routes) > maxTargets {
				return invalid(field+".Routes", "%d are more than %d", len(step.Routes), maxTargets)
			}
			for _, route := range step.Routes {
				if route == "" {
					return invalid(field+".Routes", "contains an empty name")
				}
				if err := checkText(field+".Routes", route, maxName); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Settings) checkAutoResolve() error {
	for _, severity := range slices.Sorted(maps.Keys(s.AutoResolve)) {
		field := "AutoResolve[" + severity.String() + "]"
		if severity > monitor.SeverityCritical {
			return invalid(field, "is not a valid severity")
		}
		if quiet := s.AutoResolve[severity]; quiet == 0 {
			return invalid(field, "is 0")
		} else if err := checkMillis(field, quiet); err != nil {
			return err
		}
	}
	return nil
}

// monitorRules are the rules of the monitor itself, which have no threshold.
var monitorRules = [...]string{monitor.RuleTampered, monitor.RuleReplayed, monitor.RuleConflicting}

// checkNames rejects thresholds and silences of rules, and escalations to routes, that do
// not exist. An empty list of either means that the names are not known.
func (s *Settings) checkNames(rules []string, routes []Route) error {
	for _, rule := range slices.Sorted(maps.Keys(s.Thresholds)) {
		if len(rules) > 0 && !slices.Contains(rules, rule) {
			return invalid("Thresholds["+rule+"]", "there is no such rule")
		}
	}
	for i := range s.Silences {
		for _, rule := range s.Silences[i].Rules {
			if len(rules) > 0 && !slices.Contains(rules, rule) && !slices.Contains(monitorRules[:], rule) {
				return invalid(fmt.Sprintf("Silences[%d].Rules", i), "there is no rule %q", rule)
			}
		}
	}
	for _, severity := range slices.Sorted(maps.Keys(s.Escalations)) {
		for _, step := range s.Escalations[severity] {
			for _, name := range step.Routes {
				if len(routes) > 0 && !slices.ContainsFunc(routes, func(r Route) bool { return r.Name == name }) {
					return invalid("Escalations["+severity.String()+"].Routes", "there is no route %q", name)
				}
			}
		}
	}
	return nil
}

// Clone returns a deep copy of the settings.
func (s Settings) Clone() Settings {
	s.Thresholds = maps.Clone(s.Thresholds)
	s.AutoResolve = maps.Clone(s.AutoResolve)
	s.Escalations = maps.Clone(s.Escalations)
	for severity, steps := range s.Escalations {
		steps = slices.Clone(steps)
		for i := range steps {
			steps[i].Routes = slices.Clone(steps[i].Routes)
		}
		s.Escalations[severity] = steps
	}
	s.Suppressions = slices.Clone(s.Suppressions)
	for i := range s.Suppressions {
		s.Suppressions[i] = s.Suppressions[i].clone()
	}
	s.Silences = slices.Clone(s.Silences)
	for i := range s.Silences {
		s.Silences[i] = s.Silences[i].clone()
	}
	return s
}
