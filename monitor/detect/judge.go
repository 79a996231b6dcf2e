package detect

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime/debug"
	"slices"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// A Judgment is what a rule makes of an event.
type Judgment uint8

const (
	// NotMatched means that the rule is not about such events.
	NotMatched Judgment = iota
	// Disabled means that the rule is switched off for the organization.
	Disabled
	// Anonymous means that the event names nobody, and the rule skips such events.
	Anonymous
	// Excepted means that the event is an exception.
	Excepted
	// Untimely means that the event is too late, or too far in the future, to be
	// counted.
	Untimely
	// Below means that the event counts, and the threshold is not reached.
	Below
	// Fired means that the event qualifies.
	Fired
	// WorkingHours means that the rule is about such events, but not at this time.
	WorkingHours
)

var judgmentNames = [...]string{
	"not_matched", "disabled", "anonymous", "excepted", "untimely", "below", "fired", "working_hours",
}

// String returns the judgment in snake case.
func (j Judgment) String() string {
	if int(j) < len(judgmentNames) {
		return judgmentNames[j]
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

// hits adds what the event hits.
func (s *ruleset) hits(e *monitor.Event, rep *monitor.Reporter, hits []hit) []hit {
	rules := s.of(rep.Arrival().OrganizationID)
	normal := s.normal.event(e, rep.Fail)
	matched := false
	for next := 0; next < len(rules); {
		var some bool
		next, hits, some = judgeAll(rules, next, normal, rep, hits)
		matched = matched || some
	}
	if !matched {
		rep.NoMatch()
	}
	s.normal.done(normal, e)
	return hits
}

// judgeAll adds the hits of the rules from next on. It returns the rule to go on
// with, which is the one behind a rule whose functions, which are the
// application's, panicked, and whether any rule is about the event.
func judgeAll(
	rules []*rule, from int, e *monitor.Event, rep *monitor.Reporter, hits []hit,
) (next int, all []hit, matched bool) {
	next, all = from, hits
	a := rep.Arrival()
	defer func() {
		if v := recover(); v != nil {
			rep.Fail(&monitor.PanicError{Where: "rule " + rules[next].Name, Value: v, Stack: debug.Stack()})
			next, matched = next+1, true // as far as anybody knows
		}
	}()
	for ; next < len(rules); next++ {
		more := slices.Grow(all, 1)[:len(all)+1]
		judgment := rules[next].judge(e, a, &more[len(all)])
		matched = matched || judgment != NotMatched && judgment != Disabled
		if judgment == Below || judgment == Fired {
			all = more
		}
	}
	return next, all, matched
}

// judge looks at the event, in normal form, without looking at what came before it.
// The rule still has to count the event when the judgment is Below; it is Fired for a
// stateless rule. It calls all of the rule's functions that anybody calls, and fills
// in the hit as far as it comes.
func (r *rule) judge(e *monitor.Event, a *monitor.Arrival, h *hit) Judgment {
	*h = hit{rule: r}
	if r.disabled {
		return Disabled
	}
	if r.Match != nil && !r.Match(e) {
		return NotMatched
	}
	if r.calendar != nil && !r.calendar.off(e.Timestamp) {
		return WorkingHours
	}
	switch r.kind {
	case window.Distinct:
		value := r.Distinct(e)
		if value == "" {
			return NotMatched
		}
		h.mark = hashValue(value)
	case window.Sequence:
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
	case r.kind == window.Stateless:
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

// stepsOf returns the set of the steps that the event matches.
func stepsOf(steps []Step, e *monitor.Event) (mark uint64) {
	for i := range steps {
		if steps[i].Match(e) {
			mark |= 1 << i
		}
	}
	return mark
}

// hashValue returns the mark of a value: the first 64 bits of its SHA-256. A
// cryptographic hash without a secret, so that nobody can choose values that
// count as one, and snapshots can be read by another process.
func hashValue(value string) uint64 {
	var room [128]byte
	sum := sha256.Sum256(append(room[:0], value...))
	return binary.BigEndian.Uint64(sum[:])
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
		Guidance:  r.texts,
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
