package detect

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// An Incident is what one alert would have been about: the qualifying events of
// one rule, organization and key, without a long pause between two of them.
type Incident struct {
	Rule           string
	OrganizationID string
	Key            string
	Severity       monitor.Severity
	// First and Last are the timestamps of the earliest and the latest of the
	// qualifying events, Occurrences is their number.
	First, Last time.Time
	Occurrences int
}

// A Move is an incident that both rule sets find, and not in the same way.
type Move struct{ Before, After Incident }

// A Comparison tells what another rule set changes.
type Comparison struct {
	// Appeared are the incidents that only the new rules find, Vanished those
	// that only the old rules do. Moved are those that begin or end at another
	// time, or have another number of occurrences or another severity. All are
	// in the order of their first events.
	Appeared, Vanished []Incident
	Moved              []Move
	// Same is the number of incidents that stay as they are.
	Same int
	// Before and After are the reports of the two back-tests.
	Before, After Report
}

// defaultPause is the reference's cooldown between two alerts about the same.
const defaultPause = 5 * time.Minute

// Compare tells which alerts appear, vanish and move when the rules of the
// options, before, are replaced by those of after. It goes through the history
// once. Errors are as for [Backtest].
//
// Findings of one rule, organization and key are one incident while less than
// the Cooldown of the options is between two of them, 5 minutes if it is 0.
// Incidents of before and after are the same one if they would be together.
// Shadow findings raise no alert and are none.
func Compare(ctx context.Context, before *BacktestOptions, after *Options, events iter.Seq[*monitor.Event]) (Comparison, error) {
	o := before.withDefaults()
	was, err := newTest(&o)
	if err != nil {
		return Comparison{}, fmt.Errorf("detect: compare: before: %w", err)
	}
	o.Rules = after
	is, err := newTest(&o)
	if err != nil {
		return Comparison{}, fmt.Errorf("detect: compare: after: %w", err)
	}
	// An incident needs all of its findings.
	was.backtester.cooldown, is.backtester.cooldown = 0, 0
	pause := cmp.Or(o.Cooldown, defaultPause)
	err = feed(ctx, events, was, is)
	c := Comparison{Before: was.done(), After: is.done()}
	c.compare(incidentsOf(c.Before.Findings, pause), incidentsOf(c.After.Findings, pause), pause)
	return c, err
}

// A subject is what alerts are about.
type subject struct{ rule, organization, key string }

// incidentsOf returns the incidents about each subject, in order of time.
func incidentsOf(findings []monitor.Finding, pause time.Duration) map[subject][]Incident {
	var byTime []*monitor.Finding
	for i := range findings {
		if !findings[i].Shadow {
			byTime = append(byTime, &findings[i])
		}
	}
	slices.SortStableFunc(byTime, func(a, b *monitor.Finding) int {
		return a.Event.Timestamp.Compare(b.Event.Timestamp)
	})
	all := map[subject][]Incident{}
	for _, f := range byTime {
		about, at := subject{f.Rule, f.OrganizationID, f.Key}, f.Event.Timestamp
		known := all[about]
		if n := len(known); n == 0 || at.Sub(known[n-1].Last) >= pause {
			known = append(known, Incident{
				Rule: f.Rule, OrganizationID: f.OrganizationID, Key: f.Key, Severity: f.Severity, First: at,
			})
			all[about] = known
		}
		i := &known[len(known)-1]
		i.Last = at
		i.Occurrences++
	}
	return all
}

// compare fills in what changes from before to after.
func (c *Comparison) compare(before, after map[subject][]Incident, pause time.Duration) {
	for about, incidents := range before {
		c.compareOne(incidents, after[about], pause)
	}
	for about, incidents := range after {
		if before[about] == nil {
			c.Appeared = append(c.Appeared, incidents...)
		}
	}
	slices.SortFunc(c.Appeared, inOrder)
	slices.SortFunc(c.Vanished, inOrder)
	slices.SortFunc(c.Moved, func(a, b Move) int { return inOrder(a.Before, b.Before) })
}

// compareOne compares the incidents about one subject, which are in order of
// time.
func (c *Comparison) compareOne(before, after []Incident, pause time.Duration) {
	for len(before) > 0 && len(after) > 0 {
		b, a := before[0], after[0]
		switch {
		case a.First.Sub(b.Last) >= pause:
			c.Vanished = append(c.Vanished, b)
			before = before[1:]
		case b.First.Sub(a.Last) >= pause:
			c.Appeared = append(c.Appeared, a)
			after = after[1:]
		default:
			if a == b {
				c.Same++
			} else {
				c.Moved = append(c.Moved, Move{Before: b, After: a})
			}
			before, after = before[1:], after[1:]
		}
	}
	c.Vanished = append(c.Vanished, before...)
	c.Appeared = append(c.Appeared, after...)
}

// inOrder orders incidents by their first events, then by what they are about.
func inOrder(a, b Incident) int {
	return cmp.Or(
		a.First.Compare(b.First),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.OrganizationID, b.OrganizationID),
		cmp.Compare(a.Key, b.Key),
	)
}
