package detect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/internal/strictjson"
)

// A SettingError says why [OverridesFromSettings] has left out what an organization has
// set.
type SettingError struct {
	Organization string
	// Rule is the name in the settings, whether or not there is such a rule. It is empty
	// if none of the organization's settings could be read.
	Rule string
	Err  error
}

func (e *SettingError) Error() string {
	if e.Rule == "" {
		return fmt.Sprintf("settings of organization %q: %v", e.Organization, e.Err)
	}
	return fmt.Sprintf("settings of organization %q: rule %q: %v", e.Organization, e.Rule, e.Err)
}

func (e *SettingError) Unwrap() error { return e.Err }

// OverridesFromSettings returns the overrides of o, changed by the thresholds that
// organizations have set. It takes the settings by organization, as
// alerting.Manager.AllSettings returns them, or as their JSON:
//
//	{"thresholds": {"failed_auth": {"threshold": 10, "timeWindow": 300000}}}
//
// A threshold or a window, in milliseconds, that is 0 or missing keeps that of o. Other
// members of the settings are ignored.
//
// What cannot be used is left out and returned, by organization and rule: a rule or a
// member that does not exist, a number that the rule cannot have. So no setting makes
// [New] or [Engine.Swap] refuse options that have the overrides, or touches another
// organization or another rule. Everything else in o must be valid. It is not changed.
func OverridesFromSettings[S json.Marshaler](o *Options, settings map[string]S) (map[string]Override, []*SettingError) {
	if o == nil {
		o = &Options{}
	}
	rules := o.Rules
	if rules == nil {
		rules = Defaults()
	}
	overrides := maps.Clone(o.Overrides)
	if overrides == nil {
		overrides = map[string]Override{}
	}
	var refused []*SettingError
	for _, organization := range slices.Sorted(maps.Keys(settings)) {
		refuse := func(rule string, err error) {
			refused = append(refused, &SettingError{organization, rule, err})
		}
		if organization == "" {
			refuse("", errors.New("the organization is empty"))
			continue
		}
		thresholds, err := storedThresholds(settings[organization])
		if err != nil {
			refuse("", err)
			continue
		}
		override := overrides[organization]
		override.Rules = maps.Clone(override.Rules)
		for _, name := range slices.Sorted(maps.Keys(thresholds)) {
			change, err := o.storedChange(rules, name, override.Rules[name], thresholds[name])
			if err != nil {
				refuse(name, err)
				continue
			}
			if override.Rules == nil {
				override.Rules = map[string]RuleOverride{}
			}
			override.Rules[name] = change
		}
		if override.Rules != nil {
			overrides[organization] = override
		}
	}
	return overrides, refused
}

// storedThresholds returns the thresholds in settings, by rule.
func storedThresholds(settings json.Marshaler) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	var s struct {
		Thresholds map[string]json.RawMessage `json:"thresholds"`
	}
	err = strictjson.Decode(bytes.NewReader(text), &s)
	if unknown, ok := errors.AsType[*strictjson.UnknownFieldError](err); ok && unknown.Path == "" {
		err = nil
	}
	return s.Thresholds, err
}

// storedChange returns an override with the threshold that is set for a rule.
func (o *Options) storedChange(rules []Rule, name string, change RuleOverride, threshold json.RawMessage) (RuleOverride, error) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == name })
	if i < 0 {
		return change, errors.New("there is no such rule")
	}
	var set struct {
		Threshold  int     `json:"threshold"`
		TimeWindow float64 `json:"timeWindow"`
	}
	if err := strictjson.Decode(bytes.NewReader(threshold), &set); err != nil {
		return change, err
	}
	if set.TimeWindow < 0 || set.TimeWindow > float64(maxMilliseconds)/2 {
		return change, fmt.Errorf("timeWindow: %g ms are no window", set.TimeWindow)
	}
	if set.Threshold != 0 {
		change.Threshold = set.Threshold
	}
	if set.TimeWindow != 0 {
		change.Window = time.Duration(max(1, math.Round(set.TimeWindow)) * float64(time.Millisecond))
	}
	var wrong complaints
	o.validateChange(&rules[i], change, wrong.about(""))
	return change, errors.Join(wrong...)
}
