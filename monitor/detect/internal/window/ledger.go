package window

import (
	"strings"
	"sync"
	"sync/atomic"
)

// A ledger says which organizations hold groups in a table, over all shards, and
// who has to give one up when the table is full.
//
// Anybody who may send events can make up organizations. So only the first few are
// known at once; any other one is a newcomer until it has sent some events, and
// all newcomers together are sure of no more than a small part of the table. Known
// organizations have equal shares of the rest. What one of them does not use, any
// other may, until it is needed.
type ledger struct {
	// clock counts the groups that were ever made.
	clock atomic.Int64
	_     [64]byte

	mu            sync.Mutex
	organizations map[string]*organization
	most          int // groups
	places        int // of these, that are taken or about to be
	groups        int
	newcomers     int // groups of newcomers
	known         int // organizations
}

// An organization is one with groups in a table.
type organization struct {
	name string
	// seen is the ledger's clock at its latest event.
	seen atomic.Int64
	// events are counted until the organization is known.
	events atomic.Int64
	known  atomic.Bool
	groups atomic.Int64 // changes while the ledger is locked
}

const (
	// introduction is the number of events that make an organization known.
	introduction = 64
	// newcomersPart is the part of the table that newcomers are sure of: an eighth.
	newcomersPart = 8
	// Organizations are known at once until there is one for so many groups, or
	// these few.
	groupsPerKnown, fewKnown = 128, 4
	// smallPart is the part of the table, a 128th, that a known organization is
	// sure of before those that are idle for longer, however many there are.
	smallPart = 128
)

// A bill says who has to give up a group.
type bill struct {
	// newcomers is set if it is one of these.
	newcomers bool
	// Among the known it is, if not nil, this one,
	by *organization
	// else one that has more groups than small and than its share, which is that
	// of all groups among so many, else the one that is idle for the longest time.
	small, groups, among int64
}

// exceeds reports whether so many groups are more than a share.
func (b *bill) exceeds(groups int64) bool {
	return groups > b.small && groups*b.among > b.groups
}

// count notes an event of the organization. What does not change is not written,
// and so stays in the caches of all processors.
func (l *ledger) count(o *organization) {
	if now := l.clock.Load(); o.seen.Load() != now {
		o.seen.Store(now)
	}
	if !o.known.Load() {
		l.introduce(o, 1)
	}
}

// introduce adds events of a newcomer, which may make it known.
func (l *ledger) introduce(o *organization, events int64) {
	if o.events.Add(events) < introduction {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !o.known.Load() {
		o.known.Store(true)
		l.known++
		l.newcomers -= int(o.groups.Load())
	}
}

// enter counts another group of an organization, which is the one with that name
// unless it is given. It returns how many places the group has, how many it has to
// have, and the bill for those that are missing. In a table whose cap was lowered it
// has to have two, so that the table comes down.
func (l *ledger) enter(o *organization, name string) (_ *organization, places, want int, b bill) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o == nil {
		o = l.organization(name)
	}
	l.add(o, 1)
	o.seen.Store(l.clock.Add(1))
	if l.places < l.most {
		l.places++
		return o, 1, 1, b
	}
	b = bill{
		newcomers: l.newcomers > max(1, l.most/newcomersPart),
		small:     int64(l.most / smallPart), groups: int64(l.groups - l.newcomers), among: int64(l.known),
	}
	if !b.newcomers && o.known.Load() && b.exceeds(o.groups.Load()) {
		b.by = o
	}
	return o, 0, min(2, l.places-l.most+1), b
}

// organization returns the one with that name, which may be new.
func (l *ledger) organization(name string) *organization {
	o := l.organizations[name]
	if o == nil {
		o = &organization{name: strings.Clone(name)}
		l.organizations[o.name] = o
		if l.known < max(fewKnown, l.most/groupsPerKnown) {
			o.known.Store(true)
			l.known++
		}
	}
	return o
}

// leave uncounts a group, but not its place. An organization without groups is
// forgotten.
func (l *ledger) leave(o *organization) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(o, -1)
	if o.groups.Load() == 0 {
		delete(l.organizations, o.name)
		if o.known.Load() {
			l.known--
		}
	}
}

func (l *ledger) add(o *organization, groups int) {
	o.groups.Add(int64(groups))
	l.groups += groups
	if !o.known.Load() {
		l.newcomers += groups
	}
}

// settle gives back places that were taken.
func (l *ledger) settle(places int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.places -= places
}
