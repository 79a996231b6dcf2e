package monitor

import (
	"hash/maphash"
	"sync"
	"time"
)

// A dedupCache recognizes events that have an ID: it keeps, by organization and
// ID, a digest of the content, in a fixed number of places.
//
// An event is reserved before the detectors see it, and released when its
// findings are stored. One that failed in between leaves what was already done
// of it, so that the next attempt goes on from there. That takes further places
// if it is large.
//
// When all places are taken, the oldest event gives way of a tenant that has its
// share, which is the number of places divided by that of tenants. So nobody can
// make the cache forget what others sent. All newcomers are one tenant. A tenant
// that sends little may keep less than its share for ever, but no longer than
// dedupClaim once others need it.
type dedupCache struct {
	horizon time.Duration
	seed    maphash.Seed
	shards  [dedupShards]dedupShard
}

const (
	dedupShards = 64
	// dedupPlace is how many bytes of an unfinished event a place is for.
	dedupPlace = 8 << 10
	// dedupClaim is how long an event keeps its place, if its tenant has no more
	// than its share.
	dedupClaim = 24 * time.Hour
	// dedupSample is among how many tenants the one with most places is looked for.
	dedupSample = 32
)

type dedupShard struct {
	mu         sync.Mutex
	index      map[uint64]uint32 // key -> place in slots
	slots      []dedupSlot       // grows to limit
	free       []uint32          // slots that are not in use
	limit      int               // places
	held       int               // places
	hand       int               // goes around the slots, in search of old ones
	tenants    map[tenant]*dedupTenant
	unfinished map[uint64]*progress
	_          [64]byte // the next shard is another processor's
}

// A dedupTenant has the events of a tenant in a queue.
type dedupTenant struct {
	tenant      tenant
	held        int    // places
	first, last uint32 // slots, if it has any
}

type dedupSlot struct {
	key     uint64
	digest  uint64
	arrived int64  // Unix nanoseconds of the first arrival
	owner   uint64 // the number of the event that is being worked on, 0 for none
	tenant  *dedupTenant
	next    uint32 // the tenant's next slot
	places  uint32 // that it takes, 0 if the slot is free
}

// A reservation is the slot of an event that is being processed.
type reservation struct {
	key   uint64
	place uint32
}

// progress is what was done of an event that is not settled.
type progress struct {
	arrival Arrival
	reports reports
	judged  uint64
	raised  int
	// dispositions are those of the findings that are stored among others that are not
	dispositions []Disposition
}

// known is what the cache knows of an event.
type known struct {
	reserved   reservation // of an event that is new or unfinished
	duplicate  Duplicate
	owner      uint64    // the number under which the event is being worked on
	unfinished *progress // of an earlier attempt that failed
	evicted    int       // how many events gave way
}

func newDedupCache(capacity int, horizon time.Duration) *dedupCache {
	c := &dedupCache{horizon: horizon, seed: maphash.MakeSeed()}
	for i := range c.shards {
		s := &c.shards[i]
		s.index, s.unfinished = map[uint64]uint32{}, map[uint64]*progress{}
		s.tenants = map[tenant]*dedupTenant{}
		s.limit = max(1, capacity/dedupShards)
	}
	return c
}

// key is what the cache knows an event by.
func (c *dedupCache) key(t tenant, id identity) uint64 {
	d := digester{seed: c.seed}
	d.add(uint64(t))
	d.string(id.event)
	d.string(id.delivery)
	return d.sum
}

func (c *dedupCache) shard(key uint64) *dedupShard { return &c.shards[key>>32%dedupShards] }

// An arriving event is looked up under its key.
type arriving struct {
	key, digest uint64
	owner       uint64 // its number
	redelivered bool   // the queue says that it delivers the event again
	tenant      tenant // whose share the event counts for
}

// reserve looks the event up and, if it is new or unfinished, reserves it for its
// owner. The time since its first arrival tells a redelivery from a replay.
func (c *dedupCache) reserve(a *arriving, now time.Time) known {
	s := c.shard(a.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	place, ok := s.index[a.key]
	if !ok {
		place, evicted := s.insert(a, now.UnixNano())
		return known{reserved: reservation{a.key, place}, evicted: evicted}
	}
	slot := &s.slots[place]
	switch p := s.unfinished[a.key]; {
	case slot.digest != a.digest:
		return known{duplicate: DuplicateConflicting}
	case slot.owner != 0:
		return known{owner: slot.owner}
	case p != nil:
		delete(s.unfinished, a.key)
		s.resize(slot, 1)
		slot.owner = a.owner
		return known{reserved: reservation{a.key, place}, unfinished: p}
	case !a.redelivered && now.UnixNano()-slot.arrived > int64(c.horizon):
		return known{duplicate: DuplicateReplayed}
	}
	return known{duplicate: DuplicateRedelivered}
}

// insert takes a slot for a new event and returns how many others gave way.
func (s *dedupShard) insert(a *arriving, now int64) (place uint32, evicted int) {
	t := s.tenants[a.tenant]
	if t == nil {
		t = &dedupTenant{tenant: a.tenant}
		s.tenants[a.tenant] = t
	}
	evicted = s.makeRoom(1, t, now)
	if n := len(s.free); n > 0 {
		place = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		place = uint32(len(s.slots))
		s.slots = append(s.slots, dedupSlot{})
	}
	s.slots[place] = dedupSlot{key: a.key, digest: a.digest, arrived: now, owner: a.owner, tenant: t}
	s.resize(&s.slots[place], 1)
	if t.held == 1 {
		t.first = place
	} else {
		s.slots[t.last].next = place
	}
	t.last = place
	s.index[a.key] = place
	return place, evicted
}

// resize changes how many places an event takes.
func (s *dedupShard) resize(slot *dedupSlot, places int) {
	more := places - int(slot.places)
	slot.places = uint32(places)
	slot.tenant.held += more
	s.held += more
}

// makeRoom makes events give way until so many more places are free for a tenant.
func (s *dedupShard) makeRoom(places int, t *dedupTenant, now int64) (evicted int) {
	for ; s.held+places > s.limit && s.held > 0; evicted++ {
		s.evict(s.victim(t, now), t)
	}
	return evicted
}

// evict makes the oldest event of a tenant give way. A tenant without any is
// forgotten, unless it is to get one.
func (s *dedupShard) evict(victim, t *dedupTenant) {
	place := victim.first
	slot := &s.slots[place]
	victim.first = slot.next
	s.resize(slot, 0)
	delete(s.index, slot.key)
	delete(s.unfinished, slot.key)
	*slot = dedupSlot{}
	s.free = append(s.free, place)
	if victim.held == 0 && victim != t {
		delete(s.tenants, victim.tenant)
	}
}

// victim returns the tenant that has to give up a place for another: one that has
// had it for longer than the claim, else the other itself if it has its share, else
// one with more.
func (s *dedupShard) victim(t *dedupTenant, now int64) *dedupTenant {
	if len(s.tenants) == 1 {
		return t
	}
	s.hand = (s.hand + 1) % len(s.slots)
	if slot := &s.slots[s.hand]; slot.places > 0 && now-slot.arrived > int64(dedupClaim) {
		return slot.tenant
	}
	if t.held*len(s.tenants) >= s.limit {
		return t
	}
	most, seen := t, 0
	for _, other := range s.tenants { // they come in any order
		if other.held > most.held {
			most = other
		}
		if seen++; seen == dedupSample {
			break
		}
	}
	return most
}

// release ends a reservation. The event is known from now on; p is what was done
// of one that is not finished, nil for one that is. It returns how many events gave
// way to p.
func (c *dedupCache) release(r reservation, p *progress) (evicted int) {
	s := c.shard(r.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := &s.slots[r.place]
	if slot.places == 0 || slot.key != r.key {
		return 0 // it was evicted
	}
	slot.owner = 0
	if p == nil {
		return 0
	}
	s.unfinished[r.key] = p
	if more := p.size() / dedupPlace; more > 0 {
		s.resize(slot, 1+more)
		evicted = s.makeRoom(0, slot.tenant, slot.arrived)
	}
	return evicted
}

// size is how many bytes an unfinished event takes beside its slot.
func (p *progress) size() int {
	size := len(p.arrival.OrganizationID)
	for i := range p.reports.findings {
		size += p.reports.findings[i].size()
	}
	return size
}
