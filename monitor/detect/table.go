package detect

import (
	"hash/maphash"
	"math"
	"math/bits"
	"strings"
	"sync"
)

// A table holds the windows of one rule, for all organizations and groups. It is
// divided into shards with a lock each.
type table struct {
	hash   func(organization, key string) uint64
	shards []shard
}

const (
	// maxShards is the number of shards of a large table. A small one has fewer,
	// so that its budget can be divided among them.
	maxShards    = 32
	keysPerShard = 64
)

func newTable(maxKeys int) *table {
	n := maxShards
	for n > 1 && maxKeys/n < keysPerShard {
		n /= 2
	}
	seed := maphash.MakeSeed()
	t := &table{shards: make([]shard, n), hash: func(organization, key string) uint64 {
		return bits.RotateLeft64(maphash.String(seed, organization), 32) ^ maphash.String(seed, key)
	}}
	for i := range t.shards {
		s := &t.shards[i]
		s.tenants = map[string]*tenant{}
		s.lost = math.MinInt64
	}
	return t
}

// shard returns the shard of a group, and the group's place in it.
func (t *table) shard(organization, key string) (s *shard, place uint64) {
	place = t.hash(organization, key)
	// The index uses the lower bits.
	return &t.shards[place>>32%uint64(len(t.shards))], place
}

func (t *table) addTo(stats *RuleStats) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		stats.Keys += s.entries.n
		s.each(func(en *entry) { stats.Events += en.stamps.len() })
		stats.Evictions += s.evictions
		stats.Truncations += s.truncations
		s.mu.Unlock()
	}
}

// A shard holds a part of a table's groups within a part of its budget.
type shard struct {
	mu      sync.Mutex
	entries index
	// tenants are the organizations with groups here, linked in a circle that
	// hand points into.
	tenants map[string]*tenant
	hand    *tenant
	// lost is the newest timestamp of any group that was evicted. A new group
	// may have had events up to then.
	lost                   int64
	evictions, truncations int64
	// Tallies for judging late events.
	before, after walk
	_             [64]byte // keeps the locks of two shards apart
}

// A tenant is an organization in a shard. Its groups are queued such that those
// that were not touched for long are in front: an entry that was touched since
// it was queued goes to the back when it comes up.
type tenant struct {
	organization string
	keys         int
	// horizon is the time up to which the organization's events are not needed
	// any more.
	horizon       int64
	first, last   *entry
	before, after *tenant
}

func (t *tenant) push(en *entry) {
	en.next = nil
	if t.first == nil {
		t.first = en
	} else {
		t.last.next = en
	}
	t.last = en
}

func (t *tenant) pop() *entry {
	en := t.first
	t.first = en.next
	return en
}

// dead reports whether nothing the entry holds is needed any more.
func (t *tenant) dead(en *entry) bool { return en.newest() <= t.horizon }

// admit makes an entry for a group that has none, and room for it if there are
// budget groups already. It returns how many live groups that cost, where those
// of the organization up to the horizon are dead.
func (s *shard) admit(place uint64, organization, key string, horizon int64, budget int) (en *entry, evicted int) {
	t := s.tenants[organization]
	if t == nil {
		t = s.addTenant(strings.Clone(organization))
	}
	t.horizon = max(t.horizon, horizon)
	s.expire(t)
	for s.entries.n >= max(1, budget) {
		if s.evict(s.victim(t), t) {
			evicted++
		}
	}
	en = &entry{key: newName(key), tenant: t, place: place, lost: s.lost}
	en.stamps.buf = en.small[:]
	s.entries.add(en)
	t.keys++
	t.push(en)
	return en, evicted
}

// sweep is the number of old groups that are looked at for each new one.
const sweep = 2

// expire removes dead groups of the tenant, a few at a time.
func (s *shard) expire(t *tenant) {
	for range sweep {
		en := t.first
		switch {
		case en == nil:
			return
		case t.dead(en):
			s.remove(t.pop())
		case en.touched:
			en.touched = false
			t.push(t.pop())
		default:
			return
		}
	}
}

// victim returns the tenant that has to give up a group for the newcomer: the
// newcomer itself if it has its share of the groups, else one with more than
// that. There is one, as the shares add up to all groups.
func (s *shard) victim(newcomer *tenant) *tenant {
	if newcomer.keys*len(s.tenants) >= s.entries.n {
		return newcomer
	}
	for s.hand.keys*len(s.tenants) <= s.entries.n {
		s.hand = s.hand.after
	}
	return s.hand
}

// evict removes the tenant's stalest group and reports whether it was live. A
// tenant that is left without groups is forgotten, unless it is the newcomer.
func (s *shard) evict(t, newcomer *tenant) (live bool) {
	for {
		en := t.pop()
		live = !t.dead(en)
		if live && en.touched {
			en.touched = false
			t.push(en)
			continue
		}
		s.remove(en)
		if live {
			s.lost = max(s.lost, en.newest())
			s.evictions++
		}
		if t.keys == 0 && t != newcomer {
			s.removeTenant(t)
		}
		return live
	}
}

// remove forgets an entry that was taken out of its tenant's queue.
func (s *shard) remove(en *entry) {
	s.entries.remove(en)
	en.tenant.keys--
}

func (s *shard) addTenant(organization string) *tenant {
	t := &tenant{organization: organization, horizon: math.MinInt64}
	s.tenants[organization] = t
	if s.hand == nil {
		s.hand, t.before, t.after = t, t, t
		return t
	}
	t.before, t.after = s.hand.before, s.hand
	t.before.after, t.after.before = t, t
	return t
}

func (s *shard) removeTenant(t *tenant) {
	delete(s.tenants, t.organization)
	t.before.after, t.after.before = t.after, t.before
	if s.hand == t {
		s.hand = t.after
	}
}

// each calls f for every entry, for those of a tenant in the order of its queue.
func (s *shard) each(f func(en *entry)) {
	for _, t := range s.tenants {
		for en := t.first; en != nil; en = en.next {
			f(en)
		}
	}
}
