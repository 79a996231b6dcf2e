package monitor

import (
	"hash/maphash"
	"sync"
	"time"
)

// tide holds the watermark of every organisation: the newest timestamp that
// was accepted from it. Lateness is measured against that and never against the
// clock, so that history is judged as it would have been live.
type tide struct {
	lateness, skew time.Duration // skew < 0: not checked
	seed           maphash.Seed
	shards         [tideShards]tideShard
}

const (
	tideShards = 16
	// An organisation over this number makes another one's watermark start
	// anew, so that made-up organisations cannot use up memory.
	tideCapacity = 1 << 17 / tideShards
)

type tideShard struct {
	mu     sync.Mutex
	newest map[string]*int64 // Unix nanoseconds
	_      [48]byte          // a cache line of its own
}

func (t *tide) init(lateness, skew time.Duration) {
	t.lateness, t.skew = max(lateness, 0), skew
	t.seed = maphash.MakeSeed()
	for i := range t.shards {
		t.shards[i].newest = map[string]*int64{}
	}
}

// judge says how an event's time relates to its organisation's watermark, and
// raises the watermark for an event that is on time.
func (t *tide) judge(a *Arrival, at, now time.Time) {
	a.Lateness = t.lateness
	event := at.UnixNano()
	future := t.skew >= 0 && at.Sub(now) > t.skew

	s := &t.shards[maphash.String(t.seed, a.OrganizationID)%tideShards]
	s.mu.Lock()
	newest, known := s.newest[a.OrganizationID]
	if !known && !future {
		newest = s.admit(a.OrganizationID, event)
	}
	watermark := event
	if newest != nil {
		if !future {
			*newest = max(*newest, event)
		}
		watermark = *newest
	}
	s.mu.Unlock()

	a.Watermark = time.Unix(0, watermark)
	behind := watermark - event // negative when it overflows
	switch {
	case future:
		a.Timing = Future
	case behind > int64(t.lateness) || behind < 0:
		a.Timing = TooLate
	default:
		a.Timing = OnTime
	}
}

// admit adds an organisation, in the place of another if there are too many.
func (s *tideShard) admit(organization string, event int64) *int64 {
	if len(s.newest) >= tideCapacity {
		for other := range s.newest {
			delete(s.newest, other)
			break
		}
	}
	newest := &event
	s.newest[clone(organization)] = newest
	return newest
}
