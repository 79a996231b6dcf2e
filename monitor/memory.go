package monitor

import (
	"hash/maphash"
	"sync"
	"time"
)

// memory remembers the events that have an ID: by organization and ID, with a
// digest of the content, in a fixed number of places. The oldest give way.
//
// An event is reserved before the detectors see it, and committed when its
// findings are stored. One that failed in between leaves what was already done
// of it, so that the next attempt goes on from there.
type memory struct {
	horizon time.Duration
	seed    maphash.Seed
	shards  [memoryShards]memoryShard
}

const memoryShards = 16

type memoryShard struct {
	mu     sync.Mutex
	index  map[uint64]uint32 // key -> place in ring
	ring   []memoryEntry     // grows to limit, then is written over
	limit  int
	next   int
	halted map[uint64]*halted
}

type memoryEntry struct {
	key     uint64
	digest  uint64
	arrived int64 // Unix nanoseconds of the first arrival
	owner   *pass // who is at work on it; nil when committed or halted
}

// halted is what was done of an event whose processing failed.
type halted struct {
	arrival  Arrival
	findings []Finding
	done     uint64
	raised   int
}

// recall is what the memory knows about an event.
type recall struct {
	duplicate Duplicate
	// busy: another call is at work on the event.
	busy bool
	// halted is set when an earlier attempt failed.
	halted *halted
	// forgot: the oldest event gave way.
	forgot bool
}

func newMemory(capacity int, horizon time.Duration) *memory {
	m := &memory{horizon: horizon, seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i] = memoryShard{
			index:  map[uint64]uint32{},
			limit:  max(1, capacity/memoryShards),
			halted: map[uint64]*halted{},
		}
	}
	return m
}

func (m *memory) key(organization, id string) uint64 {
	h := maphash.String(m.seed, organization)
	return h*0x9e3779b97f4a7c15 ^ maphash.String(m.seed, id)
}

func (m *memory) shard(key uint64) *memoryShard { return &m.shards[key>>32%memoryShards] }

// reserve looks the event up and, if it is new or was halted, reserves it for
// the pass.
func (m *memory) reserve(p *pass, key, digest uint64, now time.Time) recall {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	place, known := s.index[key]
	if !known {
		return recall{forgot: s.insert(memoryEntry{key: key, digest: digest, arrived: now.UnixNano(), owner: p})}
	}
	entry := &s.ring[place]
	switch h := s.halted[key]; {
	case entry.digest != digest:
		return recall{duplicate: DuplicateConflicting}
	case entry.owner == p:
		return recall{duplicate: DuplicateRedelivered} // twice in one batch
	case entry.owner != nil:
		return recall{busy: true}
	case h != nil:
		delete(s.halted, key)
		entry.owner = p
		return recall{halted: h}
	case now.UnixNano()-entry.arrived > int64(m.horizon):
		return recall{duplicate: DuplicateReplayed}
	}
	return recall{duplicate: DuplicateRedelivered}
}

// insert takes the next place and reports whether that was another event's.
func (s *memoryShard) insert(e memoryEntry) (forgot bool) {
	if len(s.ring) < s.limit {
		s.index[e.key] = uint32(len(s.ring))
		s.ring = append(s.ring, e)
		return false
	}
	old := s.ring[s.next].key
	delete(s.index, old)
	delete(s.halted, old)
	s.index[e.key] = uint32(s.next)
	s.ring[s.next] = e
	s.next = (s.next + 1) % s.limit
	return true
}

// release ends a reservation. The event is known from now on; h is what was done
// of one that was stopped, nil for one that was not.
func (m *memory) release(key uint64, h *halted) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	place, known := s.index[key]
	if !known {
		return // it gave way meanwhile
	}
	s.ring[place].owner = nil
	if h != nil {
		s.halted[key] = h
	}
}
