package detect

import (
	"fmt"
	"math"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// A ruleset is a compiled configuration. It does not change; the tables that its
// rules share with other rulesets do.
type ruleset struct {
	rules          []*rule
	normal         *normalizer
	windows        Windows // nil: the tables of the rules
	byOrganization map[string][]*rule
}

// A rule is a Rule as it is for some organizations.
type rule struct {
	Rule
	shape
	spec          window.Rule
	texts         *monitor.Guidance // nil: none
	uses          monitor.Fields
	calendar      *calendar
	exceptions    *exceptions
	trust         bool
	skipAnonymous bool
	disabled      bool
	maxKeys       int
	maxReferences int
	// table holds the windows. It is nil for a stateless rule.
	table *window.Table
}

// newRuleset compiles options. Its tables are empty.
func newRuleset(o *Options) (*ruleset, error) {
	if o == nil {
		o = &Options{}
	}
	rules := o.Rules
	if rules == nil {
		rules = Defaults()
	}
	if err := o.validate(rules); err != nil {
		return nil, fmt.Errorf("detect: options: %w", err)
	}
	set := &ruleset{windows: o.Windows, normal: newNormalizer(o.NormalizePrincipal), byOrganization: map[string][]*rule{}}
	for i := range rules {
		r := newRule(o, set.normal, rules[i], Override{})
		if r.kind != window.Stateless {
			r.table = window.NewTable(r.maxKeys)
		}
		set.rules = append(set.rules, r)
	}
	for organization, override := range o.Overrides {
		var own []*rule
		for i := range rules {
			r := newRule(o, set.normal, rules[i], override)
			r.table = set.rules[i].table
			own = append(own, r)
		}
		set.byOrganization[organization] = own
	}
	return set, nil
}

// newRule compiles a rule for the organizations under the override.
func newRule(o *Options, normal *normalizer, base Rule, override Override) *rule {
	change := override.Rules[base.Name]
	r := &rule{
		Rule:          change.on(base),
		shape:         base.shape(),
		disabled:      change.Disabled,
		exceptions:    newExceptions(normal, o.Exceptions, base.Exceptions, override.Exceptions),
		trust:         o.TrustUncovered,
		skipAnonymous: o.SkipAnonymous,
		maxKeys:       bound(o.MaxKeys, 100_000, math.MaxInt),
		maxReferences: bound(o.MaxReferences, 10, 0),
	}
	r.texts = r.guidance()
	r.uses = r.Uses | monitor.FieldTimestamp | monitor.FieldOrganizationID
	if r.GroupBy == nil {
		r.GroupBy = ByPrincipal
	}
	if r.Hours != nil {
		r.calendar = newCalendar(r.Hours, override.Location, o.Location)
	}
	switch r.kind {
	case window.Stateless:
		r.Threshold = 1
	case window.Sequence:
		r.Threshold = len(r.Sequence)
	}
	r.spec = window.Rule{
		Kind: r.kind, Length: int64(r.Window), Threshold: r.Threshold,
		MaxEvents: bound(o.MaxEventsPerKey, max(1024, r.events()), math.MaxInt),
	}
	for _, step := range r.Sequence {
		r.spec.Steps = append(r.spec.Steps, max(1, step.Count))
	}
	return r
}

// bound returns the limit that an option stands for.
func bound(value, otherwise, off int) int {
	switch value {
	case 0:
		return otherwise
	case -1:
		return off
	}
	return value
}

// of returns the rules of an organization.
func (s *ruleset) of(organization string) []*rule {
	if len(s.byOrganization) > 0 {
		if own, ok := s.byOrganization[organization]; ok {
			return own
		}
	}
	return s.rules
}

// A stateKey tells whether two rules can use the same table.
type stateKey struct {
	name, version string
	shape         shape
}

func (r *rule) stateKey() stateKey { return stateKey{r.Name, r.Version, r.shape} }

// tables returns the tables of the rules.
func (s *ruleset) tables() map[stateKey]*window.Table {
	tables := map[stateKey]*window.Table{}
	for _, r := range s.rules {
		if r.table != nil {
			tables[r.stateKey()] = r.table
		}
	}
	return tables
}

// withTables returns a copy of the ruleset whose rules use the tables that fit
// them, where there are any.
func (s *ruleset) withTables(tables map[stateKey]*window.Table) *ruleset {
	set := *s
	use := func(rules []*rule) []*rule {
		var copies []*rule
		for _, r := range rules {
			c := *r
			if t := tables[r.stateKey()]; t != nil {
				t.SetMaxGroups(r.maxKeys)
				c.table = t
			}
			copies = append(copies, &c)
		}
		return copies
	}
	set.rules = use(s.rules)
	set.byOrganization = make(map[string][]*rule, len(s.byOrganization))
	for organization, rules := range s.byOrganization {
		set.byOrganization[organization] = use(rules)
	}
	return &set
}
