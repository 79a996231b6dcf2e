package detect

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// An Engine judges events by a set of rules. It is a [monitor.BatchDetector] and
// safe for concurrent use. An engine serves one monitor only, because it tells
// events apart by the sequence numbers of the monitor.
type Engine struct {
	set atomic.Pointer[ruleset]
	ids *window.IDs
	// nonce begins the keys of events without ID in shared windows.
	nonce [8]byte
	// swap is held while set is replaced.
	swap sync.Mutex
}

// New returns an engine with empty windows. Nil options stand for the rules of
// [Defaults]. An error lists everything that is wrong with the options, by rule and
// field.
func New(o *Options) (*Engine, error) {
	set, err := newRuleset(o)
	if err != nil {
		return nil, err
	}
	en := &Engine{ids: &window.IDs{}}
	rand.Read(en.nonce[:]) // never fails
	en.set.Store(set)
	return en, nil
}

// Name returns "rules".
func (en *Engine) Name() string { return "rules" }

// Detect counts the event for every rule and reports the events that qualify
// because of it: the event itself, and events with a later timestamp that arrived
// before it. The panic of a rule is reported to [monitor.Reporter.Fail], and the
// other rules go on. Detect returns the error of [Options.Windows]. Without shared
// windows the error is nil, and Detect waits for nothing but other calls.
func (en *Engine) Detect(ctx context.Context, e *monitor.Event, r *monitor.Reporter) error {
	set := en.set.Load()
	if set.windows != nil {
		return en.exchange(ctx, set, []*monitor.Event{e}, []*monitor.Reporter{r})
	}
	en.detect(set, e, r)
	return nil
}

// DetectBatch does what Detect does, for each of the events in order.
func (en *Engine) DetectBatch(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	set := en.set.Load()
	if set.windows != nil {
		return en.exchange(ctx, set, es, rs)
	}
	for i, e := range es {
		en.detect(set, e, rs[i])
	}
	return nil
}

func (en *Engine) exchange(ctx context.Context, set *ruleset, es []*monitor.Event, rs []*monitor.Reporter) error {
	for len(es) > 0 {
		x := &exchange{rules: set, nonce: en.nonce, reporters: rs}
		judged, err := x.run(ctx, es)
		if err != nil {
			return err
		}
		es, rs = es[judged:], rs[judged:]
	}
	return nil
}

// detect judges an event by the windows in memory.
func (en *Engine) detect(set *ruleset, e *monitor.Event, rep *monitor.Reporter) {
	a := rep.Arrival()
	var room [4]hit
	hits := set.hits(e, rep, room[:0])
	if len(hits) > 0 {
		remember(en.ids, e, a)
	}
	for i := range hits {
		h := &hits[i]
		if h.rule.kind == window.Stateless {
			h.reportStateless(e, rep)
			continue
		}
		ts := e.Timestamp.UnixNano()
		o := observation{
			hit: *h, organization: a.OrganizationID, reporter: rep, others: remembered{en.ids},
			event: monitor.EventRef{ID: e.ID, Timestamp: timeOf(ts), Sequence: a.Sequence},
			Observation: window.Observation{
				Stamp: window.Stamp{Time: ts, Sequence: a.Sequence}, Mark: h.mark,
				Horizon: h.rule.horizon(ts, a), Repeated: a.Repeated,
			},
		}
		o.count()
	}
}

// Health returns the health of [Options.Windows], if they are a
// [monitor.HealthReporter].
func (en *Engine) Health(ctx context.Context) []monitor.ComponentHealth {
	if r, ok := en.set.Load().windows.(monitor.HealthReporter); ok {
		return r.Health(ctx)
	}
	return []monitor.ComponentHealth{{Name: en.Name()}}
}

// Swap replaces the options between two events. A rule keeps its windows if its
// name, its version and what it counts (events, distinct values, or the same
// numbers of events for the steps of a sequence) stay the same. A window that
// becomes longer fills up as time passes. Invalid options change nothing.
func (en *Engine) Swap(o *Options) error {
	set, err := newRuleset(o)
	if err != nil {
		return err
	}
	en.swap.Lock()
	defer en.swap.Unlock()
	en.set.Store(set.withTables(en.set.Load().tables()))
	return nil
}

// RuleStats tells what a rule holds in memory and what its caps have cut off.
type RuleStats struct {
	Rule string
	// Keys is the number of groups, and Events the number of events in them.
	Keys, Events int
	// Evictions counts the groups that MaxKeys dropped while they were needed, and
	// Truncations the events that MaxEventsPerKey dropped.
	Evictions, Truncations int64
}

// Stats returns the numbers of every rule, in the order of the rules. It takes
// time in proportion to the number of groups.
func (en *Engine) Stats() []RuleStats {
	var all []RuleStats
	for _, r := range en.set.Load().rules {
		s := RuleStats{Rule: r.Name}
		if r.table != nil {
			held := r.table.Stats()
			s.Keys, s.Events = held.Groups, held.Events
			s.Evictions, s.Truncations = held.Evictions, held.Truncations
		}
		all = append(all, s)
	}
	return all
}
