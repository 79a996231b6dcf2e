package detect

import (
	"context"
	"crypto/rand"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/auditwarden/auditwarden/monitor"
)

// An Engine judges events by a set of rules. It is a [monitor.BatchDetector] and
// safe for concurrent use. It serves one monitor, whose sequence numbers tell the
// events apart.
type Engine struct {
	set atomic.Pointer[ruleset]
	ids *ids
	// nonce begins the keys of events without ID in shared windows.
	nonce [8]byte
	// swap is held while set is replaced.
	swap sync.Mutex
}

// New returns an engine with empty windows. Nil options stand for the five
// patterns of the reference, see [Defaults]. An error names everything that is
// wrong with the options, by rule and field.
func New(o *Options) (*Engine, error) {
	if o == nil {
		o = &Options{}
	}
	set, err := o.compile()
	if err != nil {
		return nil, err
	}
	en := &Engine{ids: &ids{}}
	rand.Read(en.nonce[:]) // never fails
	en.set.Store(set)
	return en, nil
}

// Name returns "rules".
func (en *Engine) Name() string { return "rules" }

// Detect counts the event and reports every event that qualifies because of it,
// for every rule: the event itself, and events with a later timestamp that came
// before it. A rule that panics is reported to [monitor.Reporter.Fail], and the
// other rules go on. The error is that of [Options.Windows]; without these it is
// nil and Detect does not block on anything but other calls.
func (en *Engine) Detect(ctx context.Context, e *monitor.Event, r *monitor.Reporter) error {
	if en.set.Load().windows != nil {
		return en.detectShared(ctx, []*monitor.Event{e}, []*monitor.Reporter{r})
	}
	en.detect(e, r)
	return nil
}

// DetectBatch is Detect for each of the events, in order.
func (en *Engine) DetectBatch(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	if en.set.Load().windows != nil {
		return en.detectShared(ctx, es, rs)
	}
	for i, e := range es {
		en.detect(e, rs[i])
	}
	return nil
}

func (en *Engine) detect(e *monitor.Event, rep *monitor.Reporter) {
	a := rep.Arrival()
	var room [4]hit
	hits := en.set.Load().hits(e, rep, room[:0])
	if len(hits) > 0 && e.ID != "" {
		en.ids.put(a.Sequence, e.ID)
	}
	for i := range hits {
		if hits[i].rule.kind == stateless {
			hits[i].reportStateless(e, rep)
			continue
		}
		s := sighting{
			hit: hits[i], id: e.ID, sequence: a.Sequence, reporter: rep, ids: en.ids,
			stamp: stamp{ts: e.Timestamp.UnixNano(), sequence: a.Sequence},
		}
		s.count()
	}
}

// hits adds what the event hits.
func (s *ruleset) hits(e *monitor.Event, rep *monitor.Reporter, hits []hit) []hit {
	rules := s.of(rep.Arrival().OrganizationID)
	for next := 0; next < len(rules); {
		next, hits = judgeAll(rules, next, e, rep, hits)
	}
	return hits
}

// judgeAll adds the hits of the rules from next on. It returns the rule to go on
// with, which is the one behind a rule whose functions, being the host's own,
// panicked.
func judgeAll(rules []*rule, from int, e *monitor.Event, rep *monitor.Reporter, hits []hit) (next int, all []hit) {
	next, all = from, hits
	a := rep.Arrival()
	defer func() {
		if v := recover(); v != nil {
			rep.Fail(&monitor.PanicError{Where: "rule " + rules[next].Name, Value: v, Stack: debug.Stack()})
			next++
		}
	}()
	for ; next < len(rules); next++ {
		more := slices.Grow(all, 1)[:len(all)+1]
		if outcome := rules[next].judge(e, a, &more[len(all)]); outcome == Below || outcome == Fired {
			all = more
		}
	}
	return next, all
}

// Health is that of [Options.Windows], if they tell it.
func (en *Engine) Health(ctx context.Context) []monitor.ComponentHealth {
	if r, ok := en.set.Load().windows.(monitor.HealthReporter); ok {
		return r.Health(ctx)
	}
	return []monitor.ComponentHealth{{Name: en.Name()}}
}

// Swap puts other options in place, between two events. A rule keeps its windows
// if its name, its version and what it counts (events, distinct values, these
// steps) stay the same; when the window becomes longer, it fills up as time
// passes. Invalid options change nothing.
func (en *Engine) Swap(o *Options) error {
	if o == nil {
		o = &Options{}
	}
	set, err := o.compile()
	if err != nil {
		return err
	}
	en.swap.Lock()
	defer en.swap.Unlock()
	tables := map[stateKey]*table{}
	for _, r := range en.set.Load().rules {
		tables[r.stateKey()] = r.table
	}
	en.set.Store(set.withTables(tables))
	return nil
}

// A stateKey tells whether two rules can use the same table.
type stateKey struct {
	name, version string
	shape         shape
}

func (r *rule) stateKey() stateKey { return stateKey{r.Name, r.Version, r.shape} }

// withTables returns a copy of the ruleset whose rules use the tables that fit
// them, where there are any.
func (s *ruleset) withTables(tables map[stateKey]*table) *ruleset {
	set := *s
	use := func(rules []*rule) []*rule {
		var copies []*rule
		for _, r := range rules {
			c := *r
			if t := tables[r.stateKey()]; t != nil {
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

// RuleStats is what a rule holds and what its caps cut off.
type RuleStats struct {
	Rule string
	// Keys is the number of groups held, Events that of the events in them.
	Keys, Events int
	// Evictions counts the groups dropped by MaxKeys while they were live,
	// Truncations the events dropped by MaxEventsPerKey.
	Evictions, Truncations int64
}

// Stats returns the numbers of every rule, in the order of the rules. It takes
// time in proportion to the groups held.
func (en *Engine) Stats() []RuleStats {
	var all []RuleStats
	for _, r := range en.set.Load().rules {
		s := RuleStats{Rule: r.Name}
		if r.table != nil {
			r.table.addTo(&s)
		}
		all = append(all, s)
	}
	return all
}
