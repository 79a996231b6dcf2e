package detect

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// An Explanation says what a rule makes of an event, and why.
type Explanation struct {
	Rule     string
	Judgment Judgment
	// KeyField and Key name the group of the event. They are empty if the rule did
	// not get that far.
	KeyField, Key string
	// Count is the count in the window that ends with the event. AtLeast is set if
	// a memory cap cut the window.
	Count     int
	AtLeast   bool
	Threshold int
	Window    time.Duration
	Timing    monitor.Timing
	// Exception is the field by which the event is an exception. Ignored is the
	// field by which it would be one if a signature covered the field.
	Exception, Ignored monitor.Fields
}

// String returns the explanation in a sentence.
func (x Explanation) String() string {
	text := x.Rule + ": "
	switch x.Judgment {
	case NotMatched:
		return text + "does not match"
	case Disabled:
		return text + "is disabled for the organization"
	case WorkingHours:
		return text + "is not counted within working hours"
	case Anonymous:
		return text + "skips events that name nobody"
	case Excepted:
		return text + "is excepted by " + x.Exception.String()
	case Untimely:
		return text + "is not counted, being " + x.Timing.String()
	case Below, Fired:
		text += x.Judgment.String()
	}
	if x.Window > 0 {
		atLeast := ""
		if x.AtLeast {
			atLeast = "at least "
		}
		text += fmt.Sprintf(", %s%d of %d in %s", atLeast, x.Count, x.Threshold, x.Window)
	}
	text += fmt.Sprintf(" for %s %q", x.KeyField, x.Key)
	if x.Ignored != 0 {
		text += fmt.Sprintf("; an exception was ignored, as no signature covers %s", x.Ignored)
	}
	return text
}

// Explain tells what each rule makes of the event, in the order of the rules. It
// changes nothing. An event that was counted before is recognized by its sequence
// number and judged in its place. Any other event is judged as if it arrived now.
// Events that have left the windows since are not counted.
func (en *Engine) Explain(e *monitor.Event, a monitor.Arrival) []Explanation {
	var all []Explanation
	set := en.set.Load()
	normal := set.normal.event(e, func(error) {})
	for _, r := range set.of(a.OrganizationID) {
		all = append(all, r.explain(normal, &a))
	}
	return all
}

func (r *rule) explain(e *monitor.Event, a *monitor.Arrival) Explanation {
	var h hit
	judgment := r.judge(e, a, &h)
	x := Explanation{
		Rule: r.Name, Judgment: judgment,
		KeyField: h.group.Field, Key: h.group.Value,
		Threshold: r.Threshold, Window: r.Window, Timing: a.Timing,
	}
	switch judgment {
	case Excepted:
		x.Exception = r.exceptions.of(e, r.trusted(a))
	case Below, Fired:
		x.Ignored = r.exceptions.of(e, ^monitor.Fields(0))
	}
	switch judgment {
	case Fired:
		x.Count = 1
	case Below:
		x.Count, x.AtLeast = r.preview(&h, a.OrganizationID, window.Stamp{Time: e.Timestamp.UnixNano(), Sequence: a.Sequence})
		if x.Count >= r.Threshold {
			x.Judgment = Fired
		}
	}
	return x
}

// preview counts the window that ends with the event.
func (r *rule) preview(h *hit, organization string, last window.Stamp) (count int, atLeast bool) {
	s, place := r.table.Lock(organization, h.group.Value)
	defer s.Unlock()
	lost := s.Lost()
	g := s.Find(place, organization, h.group.Value)
	if g != nil {
		lost = g.Lost()
	}
	return window.Preview(&r.spec, g, last, h.mark), lost > window.Before(last.Time, r.spec.Length)
}
