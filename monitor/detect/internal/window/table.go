package window

import (
	"cmp"
	"hash/maphash"
	"iter"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

// A Table holds the groups of one rule, for all organizations. It is divided
// into shards with a lock each, which are divided further as they fill: a small
// table stays in the cache, and in a large one processors seldom meet.
type Table struct {
	// Hash tells the place of a group.
	Hash func(organization, key string) uint64
	// directory has the shard of a place at the lower bits of its upper half.
	// It never changes, but is replaced.
	directory atomic.Pointer[[]*Shard]
	maxDepth  int

	_       [64]byte   // keeps what is written apart from what every event reads
	growing sync.Mutex // held while the directory is replaced
	_       [64]byte
	ledger  ledger
}

const (
	// minDepth and maxDepth are the binary logarithms of how many shards a table
	// begins with, and of how many it comes to have.
	minDepth = 5
	maxDepth = 9
	// A table that may hold few groups has fewer shards, so that each holds a
	// sample of them in which shares are fair.
	groupsPerShard = 64
	// crowded is the number of groups in a shard that is divided.
	crowded = 16
)

// NewTable returns a table for so many groups.
func NewTable(maxGroups int) *Table {
	t := &Table{maxDepth: min(maxDepth, bits.Len(uint(maxGroups/groupsPerShard)|1)-1)}
	seed := maphash.MakeSeed()
	t.Hash = func(organization, key string) uint64 {
		return bits.RotateLeft64(maphash.String(seed, organization), 32) ^ maphash.String(seed, key)
	}
	t.ledger.most, t.ledger.organizations = maxGroups, map[string]*organization{}
	depth := min(minDepth, t.maxDepth)
	directory := make([]*Shard, 1<<depth)
	for i := range directory {
		directory[i] = newShard(t, uint64(i), depth)
	}
	t.directory.Store(&directory)
	return t
}

// SetMaxGroups changes how many groups the table may hold. It comes down to that
// as new ones come.
func (t *Table) SetMaxGroups(n int) {
	t.ledger.mu.Lock()
	defer t.ledger.mu.Unlock()
	t.ledger.most = n
}

// Lock returns the shard of a group, locked, and the group's place in it.
func (t *Table) Lock(organization, key string) (s *Shard, place uint64) {
	place = t.Hash(short(organization), short(key))
	s = t.shard(place)
	s.mu.Lock()
	for s != t.shard(place) { // it was divided meanwhile
		s.mu.Unlock()
		s = t.shard(place)
		s.mu.Lock()
	}
	return s, place
}

// The groups of a shard use the lower half of the place.
func (t *Table) shard(place uint64) *Shard {
	directory := *t.directory.Load()
	return directory[place>>32&uint64(len(directory)-1)]
}

// All returns the shards, each locked; the loop's body unlocks it. None is
// divided meanwhile.
func (t *Table) All() iter.Seq[*Shard] {
	return func(yield func(s *Shard) bool) {
		t.growing.Lock()
		defer t.growing.Unlock()
		for i, s := range *t.directory.Load() {
			if uint64(i) != s.suffix {
				continue // it was there before
			}
			s.mu.Lock()
			if !yield(s) {
				return
			}
		}
	}
}

// evict removes a group of whoever has to give one up: one in the shard, which is
// locked, or else in another one that nobody is using. It reports whether there was
// one, and whether it was live.
func (t *Table) evict(s *Shard, b *bill) (evicted, live bool) {
	if from := s.payer(b, t.ledger.clock.Load()); from != nil {
		return true, s.remove(from)
	}
	directory := *t.directory.Load()
	for i := range directory {
		other := directory[(int(s.suffix)+i)%len(directory)]
		if other == s || !other.mu.TryLock() {
			continue
		}
		from := other.payer(b, t.ledger.clock.Load())
		if from != nil {
			live = other.remove(from)
		}
		other.mu.Unlock()
		if from != nil {
			return true, live
		}
	}
	// Those who should are in use.
	if from := cmp.Or(s.newcomers.first, s.known.first); from != nil {
		return true, s.remove(from)
	}
	return false, false
}

// A Shard holds a part of a table's groups. Its methods are for whoever has
// locked it. What every event writes is in the first cache line, with the lock.
type Shard struct {
	mu sync.Mutex
	groups
	truncations int64
	most        int // groups, before it is divided

	Scratch

	table  *Table
	suffix uint64   // the lower bits of the upper half of its places
	depth  int      // how many bits these are
	_      [32]byte // makes it 256 bytes, which are allocated in cache lines of their own
}

func newShard(t *Table, suffix uint64, depth int) *Shard {
	s := &Shard{table: t, suffix: suffix, depth: depth, most: crowded, groups: newGroups()}
	if depth == t.maxDepth {
		s.most = math.MaxInt
	}
	return s
}

// Unlock unlocks the shard, and divides it if it is crowded.
func (s *Shard) Unlock() {
	if s.n > s.most {
		s.divide()
	}
	s.mu.Unlock()
}

// Find returns a group, or nil.
func (s *Shard) Find(place uint64, organization, key string) *Group {
	if m := s.find(place, short(organization), short(key)); m != nil {
		return &m.Group
	}
	return nil
}

// Observe has a group, which is admitted if it is new, observe an event. It
// returns the group, and how many groups and how many events the caps cost.
func (s *Shard) Observe(r *Rule, place uint64, organization, key string, o *Observation) (g *Group, evicted, truncated int) {
	organization, key = short(organization), short(key)
	m := s.find(place, organization, key)
	if m != nil {
		m.touched = true
		m.tenant.advance(o.Horizon)
	} else {
		m, evicted = s.admit(place, organization, key, o.Horizon)
	}
	s.count(m.tenant)
	truncated = m.Observe(r, o, &s.Scratch)
	s.truncations += int64(truncated)
	return &m.Group, evicted, truncated
}

// Admit makes a group that is not there, for events that were counted before.
func (s *Shard) Admit(place uint64, organization, key string) *Group {
	m, _ := s.admit(place, short(organization), short(key), math.MinInt64)
	return &m.Group
}

// Introduce counts events of an organization, which has a group in the shard, for
// its being known.
func (s *Shard) Introduce(organization string, events int) {
	s.table.ledger.introduce(s.tenants[short(organization)].organization, int64(events))
}

// remove evicts a group of a tenant of the shard.
func (s *Shard) remove(from *tenant) (live bool) {
	s.table.ledger.leave(from.organization)
	return s.evict(from)
}

// count notes events of a tenant, and queues it with the known ones when it is one
// of these.
func (s *Shard) count(t *tenant) {
	s.table.ledger.count(t.organization)
	if t.in == &s.newcomers && t.organization.known.Load() {
		s.promote(t)
	}
}

// admit makes a group that is not there, and room for it if the table is full.
// It returns how many live groups that cost, where those of the organization up
// to the horizon are dead.
func (s *Shard) admit(place uint64, name, key string, horizon int64) (m *member, evicted int) {
	var o *organization
	t := s.tenants[name]
	if t != nil {
		o = t.organization
	}
	l := &s.table.ledger
	o, places, want, b := l.enter(o, name)
	if t != nil {
		t.advance(horizon)
		for range s.expire(t) {
			l.leave(o)
			places++
		}
	}
	for places < want {
		removed, live := s.table.evict(s, &b)
		if !removed {
			break
		}
		places++
		if live {
			evicted++
		}
	}
	if places != 1 {
		l.settle(places - 1)
	}
	m = &member{Group: Group{lost: s.lost}, key: newName(key), place: place}
	m.stamps.buf = m.small[:]
	s.join(o, horizon, l.clock.Load(), m)
	return m, evicted
}

// divide moves about half of the groups to a new shard, unless another one is
// being divided.
func (s *Shard) divide() {
	t := s.table
	if !t.growing.TryLock() {
		return
	}
	defer t.growing.Unlock()
	bit := uint64(1) << s.depth
	other := newShard(t, s.suffix|bit, s.depth+1)
	s.depth, s.most, other.lost = other.depth, other.most, s.lost
	for _, own := range s.tenants {
		s.move(own, &other.groups, func(m *member) bool { return m.place>>32&bit != 0 })
	}

	directory := slices.Clone(*t.directory.Load())
	if uint64(len(directory)) == bit {
		directory = append(directory, directory...)
	}
	for i := other.suffix; i < uint64(len(directory)); i += 2 * bit {
		directory[i] = other
	}
	t.directory.Store(&directory)
}

// Lost returns the newest timestamp that a group may have had before it was
// evicted.
func (s *Shard) Lost() int64 { return s.lost }

// Groups calls f for every group. In place of a long organization or key it has a
// digest, which Lock takes for what it stands for.
func (s *Shard) Groups(f func(organization, key string, g *Group)) {
	s.each(func(m *member) { f(m.tenant.name, m.key.String(), &m.Group) })
}

// Stats are what a table holds and what its caps cut off.
type Stats struct {
	Groups, Events         int
	Evictions, Truncations int64
}

// Stats takes time in proportion to the groups.
func (t *Table) Stats() Stats {
	var all Stats
	for s := range t.All() {
		all.Groups += s.n
		s.each(func(m *member) { all.Events += m.Len() })
		all.Evictions += s.evictions
		all.Truncations += s.truncations
		s.Unlock()
	}
	return all
}
