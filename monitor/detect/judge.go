package detect

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A ruleset is a compiled configuration. It does not change; the tables that its
// rules share with other rulesets do.
type ruleset struct {
	rules          []*rule
	windows        Windows // nil: the tables of the rules
	byOrganization map[string][]*rule
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

// A rule is a Rule as it is for some organizations.
type rule struct {
	Rule
	shape
	window        int64
	uses          monitor.Fields
	calendar      *calendar
	exceptions    *exceptions
	trust         bool
	skipAnonymous bool
	disabled      bool
	maxEvents     int
	maxKeys       int
	maxReferences int
	// table holds the windows. It is nil for a stateless rule.
	table *table
}

// Outcome is what a rule makes of an event.
type Outcome uint8

const (
	// NotMatched: the event is none that the rule is about.
	NotMatched Outcome = iota
	// Disabled: the rule is switched off for the organization.
	Disabled
	// Anonymous: the event names nobody, and the rule skips such events.
	Anonymous
	// Excepted: the event is an exception.
	Excepted
	// Untimely: the event is too late or too far in the future to be counted.
	Untimely
	// Below: the event counts, and the threshold is not reached.
	Below
	// Fired: the event qualifies.
	Fired
)

var outcomeNames = [...]string{
	"not_matched", "disabled", "anonymous", "excepted", "untimely", "below", "fired",
}

// String returns the outcome in snake case.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// A hit is an event that a rule has to count.
type hit struct {
	rule      *rule
	group     Group
	uncovered monitor.Fields
	// mark is what the event counts for: the hash of its distinct value, or the
	// set of steps that it matches.
	mark uint64
}

// judge looks at the event without looking at what came before it. The rule
// still has to count the event when it answers Below; it answers Fired for a
// stateless rule. It calls all of the rule's functions that anybody calls, and
// fills in the hit as far as it comes.
func (r *rule) judge(e *monitor.Event, a *monitor.Arrival, h *hit) Outcome {
	*h = hit{rule: r}
	if r.disabled {
		return Disabled
	}
	if r.Match != nil && !r.Match(e) {
		return NotMatched
	}
	if r.calendar != nil && !r.calendar.off(e.Timestamp) {
		return NotMatched
	}
	switch r.kind {
	case distinct:
		value := r.Distinct(e)
		if value == "" {
			return NotMatched
		}
		h.mark = hashValue(value)
	case sequence:
		if h.mark = stepsOf(r.Sequence, e); h.mark == 0 {
			return NotMatched
		}
	}
	h.group = r.GroupBy(e, a.OrganizationID)
	if h.group.Value == "" {
		if r.skipAnonymous {
			return Anonymous
		}
		h.group.Value = Unknown
	}
	if a.Verified {
		h.uncovered = (r.uses | h.group.Fields) &^ a.Covered
	}
	if r.exceptions.of(e, r.trusted(a)) != 0 {
		return Excepted
	}
	switch {
	case r.kind == stateless:
		return Fired
	case a.Timing != monitor.TimingOnTime:
		return Untimely
	}
	return Below
}

// trusted returns the fields that exceptions may look at.
func (r *rule) trusted(a *monitor.Arrival) monitor.Fields {
	if a.Verified && !r.trust {
		return a.Covered
	}
	return ^monitor.Fields(0)
}

// finding returns what is the same in all findings of the hit.
func (h *hit) finding() monitor.Finding {
	r := h.rule
	return monitor.Finding{
		Rule:      r.Name,
		Severity:  r.Severity,
		Key:       h.group.Value,
		KeyField:  h.group.Field,
		Threshold: r.Threshold,
		Window:    r.Window,
		Uncovered: h.uncovered,
		Technique: r.Technique,
		Shadow:    r.Shadow,
	}
}

// reportStateless reports an event that qualifies by itself.
func (h *hit) reportStateless(e *monitor.Event, rep *monitor.Reporter) {
	a := rep.Arrival()
	f := h.finding()
	f.OrganizationID = a.OrganizationID
	f.Event = monitor.EventRef{ID: e.ID, Timestamp: e.Timestamp.UTC(), Sequence: a.Sequence}
	f.Count = 1
	if h.rule.maxReferences > 0 {
		f.References = rep.References(1)
		f.References[0] = f.Event
	}
	rep.Report(f)
}

// timeOf is the inverse of UnixNano.
func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }
