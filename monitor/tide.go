package monitor

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// tide holds the watermark of every organization: the newest timestamp that
// was accepted from it. Lateness is measured against that and never against the
// clock, so that history is judged as it would have been live.
//
// Watermarks are found without a lock in a map that is never changed. New
// organizations gather in a second one, which is merged into a new first one
// when it has grown to half of it.
type tide struct {
	lateness, skew time.Duration // skew < 0: not checked
	known          atomic.Pointer[map[string]*watermark]
	mu             sync.Mutex
	recent         map[string]*watermark
}

// watermark is a time in nanoseconds since 1970, in a cache line of its own.
type watermark struct {
	atomic.Int64
	_ [56]byte
}

// More organizations than this make all watermarks start anew, so that made-up
// organizations cannot use up memory.
const tideCapacity = 1 << 17

func (t *tide) init(lateness, skew time.Duration) {
	t.lateness, t.skew = max(lateness, 0), skew
	t.known.Store(&map[string]*watermark{})
	t.recent = map[string]*watermark{}
}

// judge says how an event's time relates to its organization's watermark, and
// raises the watermark for an event that is on time.
func (t *tide) judge(a *Arrival, at, now time.Time) {
	a.Lateness = t.lateness
	if t.skew >= 0 && at.Sub(now) > t.skew {
		a.Timing = TimingFuture
		a.Watermark = at
		return
	}
	event := at.UnixNano()
	newest := t.of(a.OrganizationID, event).raise(event)
	a.Watermark = time.Unix(0, newest)
	a.Timing = TimingOnTime
	if behind := newest - event; behind > int64(t.lateness) || behind < 0 { // negative: overflow
		a.Timing = TimingTooLate
	}
}

// raise returns the watermark after an event at that time.
func (w *watermark) raise(event int64) int64 {
	for {
		newest := w.Load()
		if event <= newest {
			return newest
		}
		if w.CompareAndSwap(newest, event) {
			return event
		}
	}
}

// of returns the watermark of an organization. That of a new one starts at its
// first event.
func (t *tide) of(organization string, event int64) *watermark {
	if w, ok := (*t.known.Load())[organization]; ok {
		return w
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known := *t.known.Load()
	if w, ok := known[organization]; ok {
		return w
	}
	if w, ok := t.recent[organization]; ok {
		return w
	}
	w := new(watermark)
	w.Store(event)
	t.recent[strings.Clone(organization)] = w
	if 2*len(t.recent) > len(known) {
		merged := make(map[string]*watermark, len(known)+len(t.recent))
		if len(known) < tideCapacity {
			maps.Copy(merged, known)
		}
		maps.Copy(merged, t.recent)
		t.known.Store(&merged)
		clear(t.recent)
	}
	return w
}
