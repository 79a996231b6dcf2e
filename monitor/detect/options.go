package detect

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Options configure an [Engine]. The zero value of a field stands for its
// documented default.
type Options struct {
	// Rules are judged in this order. Nil stands for [Defaults].
	Rules []Rule
	// Location is the time zone of [Rule.Hours]. Defaults to UTC.
	Location *time.Location
	// Overrides change rules for single organizations.
	Overrides map[string]Override
	// Exceptions are events that every rule ignores.
	Exceptions Exceptions
	// NormalizePrincipal returns the one name of a principal that has several, such as
	// [strings.ToLower] where the case of a name does not matter. Rules and exceptions
	// know the principal by that name, and alerts show it. It is given names without
	// white space around them, and must return its own result unchanged. It must be safe
	// for concurrent use, and should not allocate. Nil changes nothing.
	NormalizePrincipal func(principal string) string
	// SkipAnonymous drops the group [Unknown]: rules do not count events that lack
	// what they are grouped by, such as a principal.
	SkipAnonymous bool
	// TrustUncovered lets exceptions look at fields that no signature covers.
	TrustUncovered bool

	// Windows hold the events in a place that the engines of several processes
	// share. Nil keeps them in the memory of the engine. MaxKeys does not apply to
	// shared windows, and [Engine.Explain], [Engine.Stats] and [Engine.Snapshot]
	// do not look into them.
	Windows Windows

	// MaxEventsPerKey is the number of events that are held for one group. The
	// oldest are dropped first. Defaults to 1,024, or to what the rule needs if
	// that is more; -1 means no limit.
	MaxEventsPerKey int
	// MaxKeys is the number of groups that are held for one rule. Defaults to
	// 100,000; -1 means no limit.
	MaxKeys int
	// MaxReferences is the number of references in a finding. Defaults to 10; -1
	// means none.
	MaxReferences int
}

// An Override changes the rules for one organization.
type Override struct {
	// Location replaces Options.Location.
	Location *time.Location
	// Exceptions are added to those of the rules.
	Exceptions Exceptions
	// Rules change single rules, by their names.
	Rules map[string]RuleOverride
}

// A RuleOverride changes one rule for one organization. A field that is zero
// changes nothing.
type RuleOverride struct {
	Disabled  bool
	Threshold int
	Window    time.Duration
	Hours     *Hours
}

// on returns the rule as it is under the override.
func (o RuleOverride) on(r Rule) Rule {
	if o.Threshold != 0 {
		r.Threshold = o.Threshold
	}
	if o.Window != 0 {
		r.Window = o.Window
	}
	if o.Hours != nil {
		r.Hours = o.Hours
	}
	return r
}

// validate returns everything that is wrong with the options, whose rules are
// these.
func (o *Options) validate(rules []Rule) error {
	var wrong complaints
	bad := wrong.about("")
	for _, limit := range [...]struct {
		field string
		value int
	}{{"MaxEventsPerKey", o.MaxEventsPerKey}, {"MaxKeys", o.MaxKeys}, {"MaxReferences", o.MaxReferences}} {
		if limit.value < -1 {
			bad(limit.field, "%d is negative", limit.value)
		}
	}
	o.Exceptions.validate(bad)

	known := map[string]bool{}
	for i := range rules {
		r := &rules[i]
		bad := wrong.about(fmt.Sprintf("rule %q: ", r.Name))
		if known[r.Name] {
			bad("Name", "is that of another rule")
		}
		known[r.Name] = true
		r.validate(bad)
		o.validateRoom(r, bad)
	}
	for _, organization := range slices.Sorted(maps.Keys(o.Overrides)) {
		override := o.Overrides[organization]
		about := fmt.Sprintf("override of organization %q: ", organization)
		bad := wrong.about(about)
		if organization == "" {
			bad("Overrides", "the organization is empty")
		}
		override.Exceptions.validate(bad)
		for _, name := range slices.Sorted(maps.Keys(override.Rules)) {
			if !known[name] {
				bad("Rules", "there is no rule %q", name)
			}
		}
		for i := range rules {
			if change, ok := override.Rules[rules[i].Name]; ok {
				o.validateChange(&rules[i], change, wrong.about(about+fmt.Sprintf("rule %q: ", rules[i].Name)))
			}
		}
	}
	return errors.Join(wrong...)
}

// validateChange refuses an override that the rule cannot have.
func (o *Options) validateChange(base *Rule, change RuleOverride, bad complaint) {
	r := change.on(*base)
	if r.shape() != base.shape() {
		bad("Window", "the rule has none to change")
		return
	}
	r.validate(bad)
	o.validateRoom(&r, bad)
}

// validateRoom refuses a rule that its own cap keeps from ever firing.
func (o *Options) validateRoom(r *Rule, bad complaint) {
	if n := r.events(); o.MaxEventsPerKey > 0 && r.Window > 0 && n > o.MaxEventsPerKey {
		bad("Threshold", "needs %d events, which are more than MaxEventsPerKey, %d", n, o.MaxEventsPerKey)
	}
}
