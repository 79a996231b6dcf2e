package alerting

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/internal/strictjson"
	"github.com/auditwarden/auditwarden/monitor"
)

// settingsJSON is the JSON form that [Settings] describes.
type settingsJSON struct {
	DebounceWindow     *float64                              `json:"debounceWindow,omitempty"`
	SuppressionWindows []Suppression                         `json:"suppressionWindows"`
	Silences           []Silence                             `json:"silences,omitempty"`
	Thresholds         map[string]thresholdJSON              `json:"thresholds,omitempty"`
	Escalations        map[monitor.Severity][]escalationJSON `json:"escalations,omitempty"`
	AutoResolve        map[monitor.Severity]float64          `json:"autoResolve,omitempty"`
	Damping            *dampingJSON                          `json:"damping,omitempty"`
	Version            int64                                 `json:"version,omitempty"`
	UpdatedAt          time.Time                             `json:"updatedAt,omitzero"`
	UpdatedBy          string                                `json:"updatedBy,omitempty"`

	// The reference has these, and they are ignored.
	FailureRateThreshold        json.RawMessage `json:"failureRateThreshold,omitempty"`
	ConsecutiveFailureThreshold json.RawMessage `json:"consecutiveFailureThreshold,omitempty"`
	EscalationDelay             json.RawMessage `json:"escalationDelay,omitempty"`
}

type thresholdJSON struct {
	Threshold  int     `json:"threshold,omitempty"`
	TimeWindow float64 `json:"timeWindow,omitempty"`
}

type dampingJSON struct {
	Openings int     `json:"openings"`
	Window   float64 `json:"window"`
}

type escalationJSON struct {
	After  float64  `json:"after"`
	Routes []string `json:"routes,omitempty"`
}

// MarshalJSON returns the JSON form that [Settings] describes.
func (s Settings) MarshalJSON() ([]byte, error) {
	j := settingsJSON{
		SuppressionWindows: s.Suppressions, Silences: s.Silences,
		Version: s.Version, UpdatedAt: s.UpdatedAt, UpdatedBy: s.UpdatedBy,
	}
	if j.SuppressionWindows == nil {
		j.SuppressionWindows = []Suppression{}
	}
	if s.Cooldown != 0 {
		minutes := max(s.Cooldown, 0).Minutes()
		j.DebounceWindow = &minutes
	}
	if s.Damping != (Damping{}) {
		j.Damping = &dampingJSON{s.Damping.Openings, float64(s.Damping.Window.Milliseconds())}
	}
	// These functions return no errors.
	j.Thresholds, _ = convert(s.Thresholds, func(_ string, t Threshold) (thresholdJSON, error) {
		return thresholdJSON{Threshold: t.Count, TimeWindow: float64(t.Window.Milliseconds())}, nil
	})
	j.Escalations, _ = convert(s.Escalations, func(_ monitor.Severity, steps []Escalation) (all []escalationJSON, _ error) {
		for _, step := range steps {
			all = append(all, escalationJSON{float64(step.After.Milliseconds()), step.Routes})
		}
		return all, nil
	})
	j.AutoResolve, _ = convert(s.AutoResolve, func(_ monitor.Severity, quiet time.Duration) (float64, error) {
		return float64(quiet.Milliseconds()), nil
	})
	return json.Marshal(j)
}

// convert converts the values of a map in the order of its keys, until one fails.
func convert[K cmp.Ordered, A, B any](from map[K]A, f func(K, A) (B, error)) (to map[K]B, err error) {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		if to == nil {
			to = map[K]B{}
		}
		if to[key], err = f(key, from[key]); err != nil {
			return nil, err
		}
	}
	return to, nil
}

// ErrUnknownMember means that settings in JSON have a member that does not exist.
var ErrUnknownMember = errors.New("there is no such member")

// UnmarshalJSON parses the JSON form that [Settings] describes. It rounds durations
// to milliseconds, and returns an [InvalidError] for one that is negative or longer
// than 365 days. The names of members must be exact, and each may occur only once. A
// member that does not exist is an InvalidError that wraps [ErrUnknownMember] and
// names it. Everything else has been read then, so that a store can ignore the error:
// a later release may have saved the settings. UnmarshalJSON does not check anything
// else; [Settings.Validate] does.
func (s *Settings) UnmarshalJSON(text []byte) error {
	var j settingsJSON
	err := strictjson.Decode(bytes.NewReader(text), &j)
	var unknown error
	if member, ok := errors.AsType[*strictjson.UnknownFieldError](err); ok {
		unknown = &InvalidError{Field: strings.TrimPrefix(member.Path+"."+member.Name, "."), Err: ErrUnknownMember}
	} else if err != nil {
		return err
	}
	read := Settings{
		Suppressions: j.SuppressionWindows, Silences: j.Silences,
		Version: j.Version, UpdatedAt: j.UpdatedAt, UpdatedBy: j.UpdatedBy,
	}
	if len(read.Suppressions) == 0 {
		read.Suppressions = nil
	}
	if len(read.Silences) == 0 {
		read.Silences = nil
	}
	if j.DebounceWindow != nil {
		if read.Cooldown, err = millis("debounceWindow", *j.DebounceWindow*60_000); err != nil {
			return err
		}
		if read.Cooldown == 0 {
			read.Cooldown = -1
		}
	}
	if j.Damping != nil {
		read.Damping.Openings = j.Damping.Openings
		if read.Damping.Window, err = millis("damping.window", j.Damping.Window); err != nil {
			return err
		}
	}
	read.Thresholds, err = convert(j.Thresholds, func(rule string, t thresholdJSON) (Threshold, error) {
		window, err := millis("thresholds["+rule+"].timeWindow", t.TimeWindow)
		return Threshold{Count: t.Threshold, Window: window}, err
	})
	if err != nil {
		return err
	}
	read.Escalations, err = convert(j.Escalations, func(severity monitor.Severity, steps []escalationJSON) (all []Escalation, err error) {
		for _, step := range steps {
			after, wrong := millis("escalations["+severity.String()+"].after", step.After)
			all, err = append(all, Escalation{After: after, Routes: step.Routes}), cmp.Or(err, wrong)
		}
		return all, err
	})
	if err != nil {
		return err
	}
	read.AutoResolve, err = convert(j.AutoResolve, func(severity monitor.Severity, n float64) (time.Duration, error) {
		return millis("autoResolve["+severity.String()+"]", n)
	})
	if err != nil {
		return err
	}
	*s = read
	return unknown
}

// millis converts a number of milliseconds, which may be out of range.
func millis(field string, n float64) (time.Duration, error) {
	if limit := float64(maxDuration.Milliseconds()); n < 0 || n > limit {
		return 0, invalid(field, "%g ms are not between 0 and %g", n, limit)
	}
	return time.Duration(math.Round(n)) * time.Millisecond, nil
}
