package alerting

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// DefaultCooldown is the cooldown of [Settings] that name none.
const DefaultCooldown = 5 * time.Minute

// Bounds of settings.
const (
	maxDuration     = 365 * 24 * time.Hour
	maxSuppressions = 100
	maxThresholds   = 1000
	maxEscalations  = 20
	maxTargets      = 20
)

// Settings are what an organization may decide for itself. The zero value holds
// the defaults.
//
// Their JSON form has the names of the reference where it has one:
//
//	{
//	  "debounceWindow": 15,
//	  "suppressionWindows": [
//	    {"start": "22:00", "end": "02:00", "timezone": "Europe/Berlin", "weekdays": [6], "reason": "backups"}
//	  ],
//	  "thresholds": {"failed_auth": {"threshold": 10, "timeWindow": 300000}},
//	  "escalations": {"CRITICAL": [{"after": 900000}, {"after": 3600000, "routes": ["manager"]}]},
//	  "autoResolve": {"LOW": 86400000},
//	  "version": 3
//	}
//
// debounceWindow is the cooldown in minutes, where 0 means none; timeWindow, after
// and those of autoResolve are in milliseconds; weekdays count from 0, Sunday. Members with other names are
// ignored.
type Settings struct {
	// Cooldown is the event time that must pass between two notifications of
	// an alert, in whole milliseconds. Defaults to [DefaultCooldown]; -1 means
	// none.
	Cooldown time.Duration
	// Suppressions are when notifications are held back.
	Suppressions []Suppression
	// Thresholds replace those of detection rules, by rule name. A store keeps
	// them; the host hands them to its rules.
	Thresholds map[string]Threshold
	// Escalations are, by severity, what happens to an alert that is not
	// acknowledged, each after the one before. Suppressions hold them back.
	Escalations map[monitor.Severity][]Escalation
	// AutoResolve is, by severity, how long nothing must have happened to an
	// open alert, no occurrence and no change, for it to be resolved; in whole
	// milliseconds.
	AutoResolve map[monitor.Severity]time.Duration

	// Version counts how often the settings were saved.
	Version int64
	// UpdatedAt and UpdatedBy say when and by whom they were. A store sets them.
	UpdatedAt time.Time
	UpdatedBy string
}

// A Threshold replaces that of a detection rule.
type Threshold struct {
	// Count is the number of events, 0 for the rule's own.
	Count int
	// Window is the time they fall into, in whole milliseconds, 0 for the
	// rule's own.
	Window time.Duration
}

// validate checks everything but the suppressions.
func (s *Settings) validate() error {
	if err := checkMillis("Cooldown", s.Cooldown); err != nil && s.Cooldown != -1 {
		return err
	}
	if len(s.Suppressions) > maxSuppressions {
		return invalid("Suppressions", "%d are more than %d", len(s.Suppressions), maxSuppressions)
	}
	if len(s.Thresholds) > maxThresholds {
		return invalid("Thresholds", "%d are more than %d", len(s.Thresholds), maxThresholds)
	}
	for _, rule := range slices.Sorted(maps.Keys(s.Thresholds)) {
		t := s.Thresholds[rule]
		field := "Thresholds[" + rule + "]"
		if err := checkText("Thresholds", rule, maxName); err != nil {
			return err
		}
		if rule == "" {
			return invalid("Thresholds", "a rule has no name")
		}
		if t.Count < 0 || t.Count > math.MaxInt32 {
			return invalid(field+".Count", "%d is not between 0 and %d", t.Count, math.MaxInt32)
		}
		if err := checkMillis(field+".Window", t.Window); err != nil {
			return err
		}
	}
	return cmp.Or(s.validateEscalations(), s.validateAutoResolve())
}

func (s *Settings) validateEscalations() error {
	for _, severity := range slices.Sorted(maps.Keys(s.Escalations)) {
		field := "Escalations[" + severity.String() + "]"
		steps := s.Escalations[severity]
		if severity > monitor.SeverityCritical {
			return invalid(field, "is no severity")
		}
		if len(steps) > maxEscalations {
			return invalid(field, "%d are more than %d", len(steps), maxEscalations)
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
					return invalid(field+".Routes", "one has no name")
				}
				if err := checkText(field+".Routes", route, maxName); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Settings) validateAutoResolve() error {
	for _, severity := range slices.Sorted(maps.Keys(s.AutoResolve)) {
		field := "AutoResolve[" + severity.String() + "]"
		if severity > monitor.SeverityCritical {
			return invalid(field, "is no severity")
		}
		if quiet := s.AutoResolve[severity]; quiet == 0 {
			return invalid(field, "is 0")
		} else if err := checkMillis(field, quiet); err != nil {
			return err
		}
	}
	return nil
}

func checkMillis(field string, d time.Duration) error {
	switch {
	case d < 0 || d > maxDuration:
		return invalid(field, "%v is not between 0 and %v", d, maxDuration)
	case d%time.Millisecond != 0:
		return invalid(field, "%v is not in whole milliseconds", d)
	}
	return nil
}

// clone returns a copy that shares nothing.
func (s Settings) clone() Settings {
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
		s.Suppressions[i].Weekdays = slices.Clone(s.Suppressions[i].Weekdays)
	}
	return s
}

// The JSON form, see [Settings].
type settingsJSON struct {
	DebounceWindow     *float64                              `json:"debounceWindow,omitempty"`
	SuppressionWindows []Suppression                         `json:"suppressionWindows"`
	Thresholds         map[string]thresholdJSON              `json:"thresholds,omitempty"`
	Escalations        map[monitor.Severity][]escalationJSON `json:"escalations,omitempty"`
	AutoResolve        map[monitor.Severity]float64          `json:"autoResolve,omitempty"`
	Version            int64                                 `json:"version,omitempty"`
	UpdatedAt          time.Time                             `json:"updatedAt,omitzero"`
	UpdatedBy          string                                `json:"updatedBy,omitempty"`
}

type thresholdJSON struct {
	Threshold  int     `json:"threshold,omitempty"`
	TimeWindow float64 `json:"timeWindow,omitempty"`
}

type escalationJSON struct {
	After  float64  `json:"after"`
	Routes []string `json:"routes,omitempty"`
}

// MarshalJSON writes the form that is described at [Settings].
func (s Settings) MarshalJSON() ([]byte, error) {
	j := settingsJSON{
		SuppressionWindows: s.Suppressions,
		Version:            s.Version, UpdatedAt: s.UpdatedAt, UpdatedBy: s.UpdatedBy,
	}
	if j.SuppressionWindows == nil {
		j.SuppressionWindows = []Suppression{}
	}
	if s.Cooldown != 0 {
		minutes := max(s.Cooldown, 0).Minutes()
		j.DebounceWindow = &minutes
	}
	for rule, t := range s.Thresholds {
		if j.Thresholds == nil {
			j.Thresholds = map[string]thresholdJSON{}
		}
		j.Thresholds[rule] = thresholdJSON{Threshold: t.Count, TimeWindow: float64(t.Window.Milliseconds())}
	}
	for severity, steps := range s.Escalations {
		if j.Escalations == nil {
			j.Escalations = map[monitor.Severity][]escalationJSON{}
		}
		for _, step := range steps {
			j.Escalations[severity] = append(j.Escalations[severity], escalationJSON{float64(step.After.Milliseconds()), step.Routes})
		}
	}
	for severity, quiet := range s.AutoResolve {
		if j.AutoResolve == nil {
			j.AutoResolve = map[monitor.Severity]float64{}
		}
		j.AutoResolve[severity] = float64(quiet.Milliseconds())
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads the form that is described at [Settings]. Durations are
// rounded to milliseconds. The error is an [InvalidError] for a number that is
// no duration; [Settings.Policy] finds what else is wrong.
func (s *Settings) UnmarshalJSON(text []byte) error {
	var j settingsJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	read := Settings{
		Suppressions: j.SuppressionWindows,
		Version:      j.Version, UpdatedAt: j.UpdatedAt, UpdatedBy: j.UpdatedBy,
	}
	if len(read.Suppressions) == 0 {
		read.Suppressions = nil
	}
	var err error
	if j.DebounceWindow != nil {
		if read.Cooldown, err = millis("debounceWindow", *j.DebounceWindow*60_000); err != nil {
			return err
		}
		if read.Cooldown == 0 {
			read.Cooldown = -1
		}
	}
	for rule, t := range j.Thresholds {
		if read.Thresholds == nil {
			read.Thresholds = map[string]Threshold{}
		}
		window, err := millis("thresholds["+rule+"].timeWindow", t.TimeWindow)
		if err != nil {
			return err
		}
		read.Thresholds[rule] = Threshold{Count: t.Threshold, Window: window}
	}
	for severity, steps := range j.Escalations {
		if read.Escalations == nil {
			read.Escalations = map[monitor.Severity][]Escalation{}
		}
		for _, step := range steps {
			after, err := millis("escalations["+severity.String()+"].after", step.After)
			if err != nil {
				return err
			}
			read.Escalations[severity] = append(read.Escalations[severity], Escalation{After: after, Routes: step.Routes})
		}
	}
	for severity, n := range j.AutoResolve {
		if read.AutoResolve == nil {
			read.AutoResolve = map[monitor.Severity]time.Duration{}
		}
		if read.AutoResolve[severity], err = millis("autoResolve["+severity.String()+"]", n); err != nil {
			return err
		}
	}
	*s = read
	return nil
}

// millis converts a number of milliseconds, which may be far too large.
func millis(field string, n float64) (time.Duration, error) {
	if limit := float64(maxDuration.Milliseconds()); n < 0 || n > limit {
		return 0, invalid(field, "%g ms are not between 0 and %g", n, limit)
	}
	return time.Duration(math.Round(n)) * time.Millisecond, nil
}
