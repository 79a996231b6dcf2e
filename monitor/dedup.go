package monitor

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

// A dedupCache recognizes events that have an ID: it keeps, by organization and
// ID, a digest of the content, in a fixed number of slots. The oldest give way.
//
// An event is reserved before the detectors see it, and released when its
// findings are stored. One that failed in between leaves what was already done
// of it, so that the next attempt goes on from there.
type dedupCache struct {
	horizon time.Duration
	seed    maphash.Seed
	shards  [dedupShards]dedupShard
}

const dedupShards = 64

type dedupShard struct {
	mu         sync.Mutex
	index      map[uint64]uint32 // key -> place in slots
	slots      []dedupSlot       // grows to limit, then the oldest is written over
	limit      int
	oldest     int
	unfinished map[uint64]*progress
	_          [64]byte // the next shard is another processor's
}

type dedupSlot struct {
	key     uint64
	digest  uint64
	arrived int64  // Unix nanoseconds of the first arrival
	owner   uint64 // the number of the event that is being worked on, 0 for none
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
	evicted    bool      // the oldest event gave way
}

func newDedupCache(capacity int, horizon time.Duration) *dedupCache {
	c := &dedupCache{horizon: horizon, seed: maphash.MakeSeed()}
	for i := range c.shards {
		s := &c.shards[i]
		s.index, s.unfinished = map[uint64]uint32{}, map[uint64]*progress{}
		s.limit = max(1, capacity/dedupShards)
	}
	return c
}

// key is what the cache knows an event by.
func (c *dedupCache) key(organization string, id identity) uint64 {
	d := digester{seed: c.seed}
	d.string(organization)
	d.string(id.event)
	d.string(id.delivery)
	return d.sum
}

func (c *dedupCache) shard(key uint64) *dedupShard { return &c.shards[key>>32%dedupShards] }

// reserve looks the event up and, if it is new or unfinished, reserves it under
// the number of its owner. The time since its first arrival tells a redelivery
// from a replay, unless the queue says that it delivers the event again.
func (c *dedupCache) reserve(owner, key, digest uint64, redelivered bool, now time.Time) known {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	place, ok := s.index[key]
	if !ok {
		place, evicted := s.insert(dedupSlot{key: key, digest: digest, arrived: now.UnixNano(), owner: owner})
		return known{reserved: reservation{key, place}, evicted: evicted}
	}
	slot := &s.slots[place]
	switch p := s.unfinished[key]; {
	case slot.digest != digest:
		return known{duplicate: DuplicateConflicting}
	case slot.owner != 0:
		return known{owner: slot.owner}
	case p != nil:
		delete(s.unfinished, key)
		slot.owner = owner
		return known{reserved: reservation{key, place}, unfinished: p}
	case !redelivered && now.UnixNano()-slot.arrived > int64(c.horizon):
		return known{duplicate: DuplicateReplayed}
	}
	return known{duplicate: DuplicateRedelivered}
}

// insert takes the next slot and reports whether that was another event's.
func (s *dedupShard) insert(slot dedupSlot) (place uint32, evicted bool) {
	if len(s.slots) < s.limit {
		place = uint32(len(s.slots))
		s.slots = append(s.slots, slot)
	} else {
		place, evicted = uint32(s.oldest), true
		delete(s.index, s.slots[place].key)
		delete(s.unfinished, s.slots[place].key)
		s.slots[place] = slot
		s.oldest = (s.oldest + 1) % s.limit
	}
	s.index[slot.key] = place
	return place, evicted
}

// release ends a reservation. The event is known from now on; p is what was done
// of one that is not finished, nil for one that is.
func (c *dedupCache) release(r reservation, p *progress) {
	s := c.shard(r.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := &s.slots[r.place]
	if slot.key != r.key {
		return // it was evicted
	}
	slot.owner = 0
	if p != nil {
		s.unfinished[r.key] = p
	}
}

// digest is a hash of everything in the event but its ID and organization, which
// the cache knows it by, and the text of its timestamp, which stores and queues
// may rewrite. The seed is new in every process.
func (e *Event) digest(seed maphash.Seed) uint64 {
	d := digester{seed: seed}
	d.add(uint64(e.Timestamp.UnixNano()))
	for _, text := range [...]string{
		e.Action, string(e.Status), e.PrincipalID, e.TargetResourceType, e.TargetResourceID, e.OutcomeDescription,
		e.Session.ID, e.Session.IPAddress, e.Session.UserAgent, e.Session.Geolocation,
		e.CorrelationID, e.EventVersion, e.RetentionPolicy, string(e.DataClassification),
		e.Hash, e.HashAlgorithm, e.Signature, e.SignatureAlgorithm, e.KeyID,
	} {
		d.string(text)
	}
	d.add(uint64(e.RecordCount))
	if len(e.Details) > 0 {
		d.add(1 ^ d.value(e.Details))
	}
	if len(e.Session.Details) > 0 {
		d.add(2 ^ d.value(e.Session.Details))
	}
	return d.sum
}

type digester struct {
	seed maphash.Seed
	sum  uint64
}

func (d *digester) add(v uint64) { d.sum = (d.sum<<5 | d.sum>>59) ^ v*0x9e3779b97f4a7c15 }

func (d *digester) string(s string) {
	if s == "" {
		d.add(1)
		return
	}
	d.add(maphash.String(d.seed, s))
}

// value hashes a JSON value. The order of an object's fields does not matter.
func (d *digester) value(v any) uint64 {
	n := digester{seed: d.seed}
	switch v := v.(type) {
	case map[string]any:
		var fields uint64
		for k, x := range v {
			f := digester{seed: d.seed}
			f.string(k)
			f.add(f.value(x))
			fields += f.sum
		}
		n.add(2)
		n.add(fields)
	case []any:
		n.add(3)
		n.add(uint64(len(v)))
		for _, x := range v {
			n.add(n.value(x))
		}
	case string:
		n.add(4)
		n.string(v)
	case json.Number:
		n.add(5)
		n.string(v.String())
	default:
		n.add(6)
		n.string(fmt.Sprint(v))
	}
	return n.sum
}
