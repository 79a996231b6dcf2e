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

// An AlertSummary describes an alert that a back-test would have raised: the
// qualifying events of one rule, organization and key, without a long pause
// between two of them.
type AlertSummary struct {
	Rule           string
	OrganizationID string
	Key            string
	Severity       monitor.Severity
	// First and Last are the timestamps of the earliest and the latest qualifying
	// event, and Occurrences is how many there are.
	First, Last time.Time
	Occurrences int
}

// An AlertChange is an alert that both sets of rules raise, but not in the same
// way.
type AlertChange struct{ Before, After AlertSummary }

// A Comparison tells what changes when other rules are used.
type Comparison struct {
	// Added are the alerts that only the new rules raise, and Removed those that
	// only the old rules raise. Changed are those that begin or end at another
	// time, or have another number of occurrences or another severity. All are in
	// the order of their first events.
	Added, Removed []AlertSummary
	Changed        []AlertChange
	// Same is the number of alerts that stay as they are.
	Same int
	// Before and After are the reports of the two back-tests.
	Before, After Report
}

// defaultPause ends an alert when no other cooldown is given.
const defaultPause = 5 * time.Minute

// Compare tells which alerts are added, removed and changed when the rules of the
// options, before, are replaced by those of after. It goes through the history
// once. Errors are as for [Backtest].
//
// Findings of one rule, organization and key belong to one alert while less than
// the Cooldown of the options, or 5 minutes if that is 0, lies between two of
// them. An alert of before and one of after are the same alert if their findings
// would belong together. Shadow findings raise no alert.
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
	// A summary needs all findings.
	was.backtester.cooldown, is.backtester.cooldown = 0, 0
	pause := cmp.Or(o.Cooldown, defaultPause)
	err = feed(ctx, events, was, is)
	c := Comparison{Before: was.done(), After: is.done()}
	c.compare(summarize(c.Before.Findings, pause), summarize(c.After.Findings, pause), pause)
	return c, err
}

// A subject is what alerts are about.
type subject struct{ rule, organization, key string }

// summarize returns the alerts about each subject, in order of time.
func summarize(findings []monitor.Finding, pause time.Duration) map[subject][]AlertSummary {
	var byTime []*monitor.Finding
	for i := range findings {
		if !findings[i].Shadow {
			byTime = append(byTime, &findings[i])
		}
	}
	slices.SortStableFunc(byTime, func(a, b *monitor.Finding) int {
		return a.Event.Timestamp.Compare(b.Event.Timestamp)
	})
	all := map[subject][]AlertSummary{}
	for _, f := range byTime {
		about, at := subject{f.Rule, f.OrganizationID, f.Key}, f.Event.Timestamp
		known := all[about]
		if n := len(known); n == 0 || at.Sub(known[n-1].Last) >= pause {
			known = append(known, AlertSummary{
				Rule: f.Rule, OrganizationID: f.OrganizationID, Key: f.Key, Severity: f.Severity, First: at,
			})
			all[about] = known
		}
		a := &known[len(known)-1]
		a.Last = at
		a.Occurrences++
	}
	return all
}

// compare fills in what changes from before to after.
func (c *Comparison) compare(before, after map[subject][]AlertSummary, pause time.Duration) {
	for about, alerts := range before {
		c.compareOne(alerts, after[about], pause)
	}
	for about, alerts := range after {
		if before[about] == nil {
			c.Added = append(c.Added, alerts...)
		}
	}
	slices.SortFunc(c.Added, inOrder)
	slices.SortFunc(c.Removed, inOrder)
	slices.SortFunc(c.Changed, func(a, b AlertChange) int { return inOrder(a.Before, b.Before) })
}

// compareOne compares the alerts about one subject, which are in order of time.
func (c *Comparison) compareOne(before, after []AlertSummary, pause time.Duration) {
	for len(before) > 0 && len(after) > 0 {
		b, a := before[0], after[0]
		switch {
		case a.First.Sub(b.Last) >= pause:
			c.Removed = append(c.Removed, b)
			before = before[1:]
		case b.First.Sub(a.Last) >= pause:
			c.Added = append(c.Added, a)
			after = after[1:]
		default:
			if a == b {
				c.Same++
			} else {
				c.Changed = append(c.Changed, AlertChange{Before: b, After: a})
			}
			before, after = before[1:], after[1:]
		}
	}
	c.Removed = append(c.Removed, before...)
	c.Added = append(c.Added, after...)
}

// inOrder orders alerts by their first events, then by what they are about.
func inOrder(a, b AlertSummary) int {
	return cmp.Or(
		a.First.Compare(b.First),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.OrganizationID, b.OrganizationID),
		cmp.Compare(a.Key, b.Key),
	)
}
