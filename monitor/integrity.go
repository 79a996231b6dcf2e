package monitor

import (
	"fmt"
	"sync"
	"time"
)

// The rules of the monitor's own.
const (
	// RuleTampered: an event failed verification.
	RuleTampered = "tampered"
	// RuleReplayed: an event came again beyond the redelivery horizon.
	RuleReplayed = "replayed"
	// RuleConflicting: an event came with the ID of another.
	RuleConflicting = "conflicting"
)

// tampered is the finding on an event that failed verification. Everything the
// event says of itself is a claim: the alert goes to the operator, and it is
// one incident per verdict and source, however many tenants are named.
func (m *Monitor) tampered(it *item) Finding {
	v, e := &it.result.Verification, it.event
	reason := v.Verdict.String()
	if v.Err != nil {
		reason = v.Err.Error()
	}
	f := m.own(it, RuleTampered, SeverityCritical)
	f.OrganizationID = m.config.OperatorOrganization
	f.Key, f.KeyField = v.Verdict.String()+"@"+m.config.Source, "verdict"
	f.Detail = fmt.Sprintf("%s; the event claims organization %.64q, principal %.64q, action %.64q",
		reason, e.OrganizationID, e.PrincipalID, e.Action)
	f.Uncovered = ^v.Covered & allFields
	f.Technique = "T1565.001"
	return f
}

func (m *Monitor) replayed(it *item) Finding {
	f := m.byPrincipal(it, RuleReplayed)
	f.Detail = fmt.Sprintf("event %.64q was delivered again after more than %s", it.event.ID, m.config.RedeliveryHorizon)
	f.Technique = "T1565.002"
	return f
}

func (m *Monitor) conflicting(it *item) Finding {
	f := m.byPrincipal(it, RuleConflicting)
	f.Detail = fmt.Sprintf("event %.64q differs from the one known by that ID", it.event.ID)
	f.Technique = "T1565.002"
	return f
}

func (m *Monitor) byPrincipal(it *item, rule string) Finding {
	f := m.own(it, rule, SeverityHigh)
	f.OrganizationID = it.reporter.arrival.OrganizationID
	f.Key, f.KeyField = it.event.PrincipalID, "principalId"
	if f.Key == "" {
		f.Key = "unknown"
	}
	return f
}

func (m *Monitor) own(it *item, rule string, severity Severity) Finding {
	return Finding{
		Rule:      rule,
		Severity:  severity,
		Event:     EventRef{ID: it.event.ID, Timestamp: it.event.Timestamp, Sequence: it.result.Sequence},
		Count:     1,
		Threshold: 1,
	}
}

// folding caps how many occurrences of failed verification reach the store in a
// second, per verdict. Further ones are added to the next that does, and what is
// left at the end is stored by the shutdown.
type folding struct {
	rate   int64
	mu     sync.Mutex
	counts [len(verdictNames)]struct {
		second, taken int64
		rest          *Occurrence // the last that was folded, with the count of all
	}
}

// take returns how many occurrences the event at hand stands for, 0 if it is
// over the rate.
func (f *folding) take(v Verdict, now time.Time) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := &f.counts[v]
	if second := now.Unix(); c.second != second {
		c.second, c.taken = second, 0
	}
	if c.taken >= f.rate {
		return 0
	}
	c.taken++
	n := int64(1)
	if c.rest != nil {
		n += c.rest.Count
		c.rest = nil
	}
	return n
}

// fold keeps an occurrence for later.
func (f *folding) fold(v Verdict, o *Occurrence) { f.add(v, o, 1) }

// putBack keeps what was added to an occurrence that could not be stored. The
// occurrence itself is tried again by whoever has its event.
func (f *folding) putBack(v Verdict, o *Occurrence) { f.add(v, o, o.Count-1) }

func (f *folding) add(v Verdict, o *Occurrence, n int64) {
	if n == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := &f.counts[v]
	if c.rest == nil {
		rest := *o
		rest.Count = 0
		c.rest = &rest
	}
	c.rest.Count += n
}

// left takes what is folded and not stored.
func (f *folding) left() []*Occurrence {
	f.mu.Lock()
	defer f.mu.Unlock()
	var os []*Occurrence
	for i := range f.counts {
		if rest := f.counts[i].rest; rest != nil {
			os = append(os, rest)
			f.counts[i].rest = nil
		}
	}
	return os
}
