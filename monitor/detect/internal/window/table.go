package window

import (
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
	maxGroups atomic.Int64

	_       [64]byte     // keeps what is written apart from what every event reads
	growing sync.Mutex   // held while the directory is replaced
	groups  atomic.Int64 // in all shards
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
	t.maxGroups.Store(int64(maxGroups))
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
func (t *Table) SetMaxGroups(n int) { t.maxGroups.Store(int64(n)) }

// Lock returns the shard of a group, locked, and the group's place in it.
func (t *Table) Lock(organization, key string) (s *Shard, place uint64) {
	place = t.Hash(organization, key)
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

// reserve makes a place for another group if the table is not full.
func (t *Table) reserve() bool {
	for n := t.groups.Load(); n < t.maxGroups.Load(); n = t.groups.Load() {
		if t.groups.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
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
	_      [80]byte // makes it 256 bytes, which are allocated in cache lines of their own
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
	if m := s.find(place, organization, key); m != nil {
		return &m.Group
	}
	return nil
}

// Observe has a group, which is admitted if it is new, observe an event. It
// returns the group, and how many groups and how many events the caps cost.
func (s *Shard) Observe(r *Rule, place uint64, organization, key string, o *Observation) (g *Group, evicted, truncated int) {
	if m := s.find(place, organization, key); m != nil {
		m.touched = true
		m.tenant.advance(o.Horizon)
		g = &m.Group
	} else {
		g, evicted = s.Admit(place, organization, key, o.Horizon)
	}
	truncated = g.Observe(r, o, &s.Scratch)
	s.truncations += int64(truncated)
	return g, evicted, truncated
}

// Admit makes a group that is not there, and room for it if the table is full.
// It returns how many live groups that cost, where those of the organization up
// to the horizon are dead.
func (s *Shard) Admit(place uint64, organization, key string, horizon int64) (g *Group, evicted int) {
	t := s.tenant(organization)
	t.advance(horizon)
	places := s.expire(t)
	if places == 0 && s.table.reserve() {
		places = 1
	}
	// A table whose cap was lowered loses two groups for each new one.
	for s.n > 0 && (places == 0 || places == 1 && s.table.groups.Load() > s.table.maxGroups.Load()) {
		if places++; s.evict(t) {
			evicted++
		}
	}
	if places != 1 {
		s.table.groups.Add(int64(1 - places))
	}
	m := &member{Group: Group{lost: s.lost}, key: newName(key), place: place}
	m.stamps.buf = m.small[:]
	s.join(t, m)
	return &m.Group, evicted
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

// Groups calls f for every group.
func (s *Shard) Groups(f func(organization, key string, g *Group)) {
	s.each(func(m *member) { f(m.tenant.organization, m.key.String(), &m.Group) })
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
