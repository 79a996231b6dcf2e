package alerting

import (
	"encoding/json"
	"math"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// settingsJSON is the JSON form that is described at [Settings].
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
// rounded to milliseconds. The error is an [InvalidError] for a number that is no
// duration. [Settings.Validate] finds what else is wrong.
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
