package monitor

import (
	"hash/maphash"
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// watermarks holds the watermark of every organization: the newest timestamp
// that was accepted from it, as far as the clock, rounded down to a multiple of a
// 64th of the allowed lateness. Lateness is measured against the watermark, so
// that history is judged as it would have been live.
//
// A watermark is never ahead of the clock. So an event that arrives within the
// lateness is on time, whatever the clocks say by which others are stamped.
//
// Rounding makes most events find a watermark that they need not raise, so that
// processors share it for reading. It is part of the definition, and not a
// matter of who came first: which events are late depends on timestamps and the
// clock alone.
//
// Anybody who may send events can make up organizations. Those with few events
// are newcomers, which give way to each other. The others have places of their
// own, which nobody loses who uses them.
//
// The watermarks of known organizations are found without a lock in a map that is
// never changed. Further ones gather in a second map, which is merged into a new
// first one when it has grown to half of it. (A lookup takes 9 ns, and 17 ns in a
// [sync.Map]: BenchmarkWatermarkLookup.)
type watermarks struct {
	lateness time.Duration
	skew     time.Duration // negative: the clock does not matter
	step     int64         // nanoseconds
	capacity int
	seed     maphash.Seed
	known    atomic.Pointer[map[tenant]*watermark]

	mu        sync.Mutex
	recent    map[tenant]*watermark // known, and not in the first map yet
	newcomers map[tenant]*watermark
	swept     time.Time
}

// A tenant is what memory knows an organization by: a hash of its name, under a
// seed of the process.
type tenant uint64

// watermark is a time in nanoseconds since 1970, in a cache line of its own.
type watermark struct {
	newest   atomic.Int64
	used     atomic.Bool // since the last sweep
	accepted int         // the events of a newcomer
	_        [40]byte
}

const (
	// watermarkSteps is how many steps of a watermark make up the lateness.
	watermarkSteps = 64
	// watermarkCapacity is how many organizations have a watermark. Newcomers have
	// what the others leave them, but no less than a part of newcomerParts.
	watermarkCapacity = 1 << 17
	newcomerParts     = 16
	// knownAfter is how many accepted events make an organization a known one.
	knownAfter = 8
	// newcomerSample is among how many newcomers the one with the fewest events is
	// looked for that gives way.
	newcomerSample = 8
	// sweepInterval is how long a known organization keeps its place unused when
	// there is no other, at least.
	sweepInterval = time.Hour
)

func (w *watermarks) init(lateness, skew time.Duration, capacity int) {
	w.lateness, w.skew, w.capacity = max(lateness, 0), skew, capacity
	w.step = max(int64(w.lateness)/watermarkSteps, 1)
	w.seed = maphash.MakeSeed()
	w.known.Store(&map[tenant]*watermark{})
	w.recent, w.newcomers = map[tenant]*watermark{}, map[tenant]*watermark{}
}

func (w *watermarks) tenant(organization string) tenant {
	return tenant(maphash.String(w.seed, organization))
}

// judge says how an event's time relates to its organization's watermark, and
// raises the watermark for an event that is on time.
func (w *watermarks) judge(a *Arrival, t tenant, at, now time.Time) {
	a.Lateness = w.lateness
	event, clock := at.UnixNano(), int64(math.MaxInt64)
	if w.skew >= 0 {
		clock = now.UnixNano()
		if at.Sub(now) > w.skew {
			a.Timing = TimingFuture
			a.Watermark = time.Unix(0, w.read(t, clock))
			return
		}
	}
	reached := w.round(min(event, clock))
	newest := w.of(t, reached, now).raise(reached)
	if newest > clock { // another call began later
		newest = w.round(clock)
	}
	a.Watermark = time.Unix(0, newest)
	a.Timing = TimingOnTime
	if behind := newest - event; event < newest && (behind > int64(w.lateness) || behind < 0) { // negative: overflow
		a.Timing = TimingTooLate
	}
}

// round rounds a time down to a step.
func (w *watermarks) round(event int64) int64 {
	rest := event % w.step
	if rest < 0 {
		rest += w.step
	}
	return event - rest
}

// raise returns the watermark after an event that reached that time.
func (m *watermark) raise(reached int64) int64 {
	for {
		newest := m.newest.Load()
		if reached <= newest {
			return newest
		}
		if m.newest.CompareAndSwap(newest, reached) {
			return reached
		}
	}
}

// read returns the watermark of an organization. Without one it is the clock.
func (w *watermarks) read(t tenant, clock int64) int64 {
	m := w.find(t)
	if m == nil {
		w.mu.Lock()
		m = w.newcomers[t]
		w.mu.Unlock()
	}
	if m == nil {
		return w.round(clock)
	}
	return min(m.newest.Load(), w.round(clock))
}

// knows reports whether several events of the organization were accepted.
func (w *watermarks) knows(organization string) bool { return w.find(w.tenant(organization)) != nil }

// find returns the watermark of a known organization, or nil.
func (w *watermarks) find(t tenant) *watermark {
	if m := (*w.known.Load())[t]; m != nil {
		return m
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gathered(t)
}

// gathered is find for what may have been merged just now.
func (w *watermarks) gathered(t tenant) *watermark {
	if m := (*w.known.Load())[t]; m != nil {
		return m
	}
	return w.recent[t]
}

// of returns the watermark of an organization that an event was accepted from.
// That of a new one starts at the event.
func (w *watermarks) of(t tenant, reached int64, now time.Time) *watermark {
	m := (*w.known.Load())[t]
	if m == nil {
		m = w.gather(t, reached, now)
	}
	if !m.used.Load() {
		m.used.Store(true)
	}
	return m
}

func (w *watermarks) gather(t tenant, reached int64, now time.Time) *watermark {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.gathered(t); m != nil {
		return m
	}
	m := w.newcomers[t]
	if m == nil {
		if len(w.newcomers) >= max(w.capacity-w.places(), w.capacity/newcomerParts) {
			w.dismiss()
		}
		m = new(watermark)
		m.newest.Store(reached)
		w.newcomers[t] = m
	}
	m.accepted++
	if m.accepted >= knownAfter && w.hasPlace(now) {
		delete(w.newcomers, t)
		w.recent[t] = m
		w.merge()
	}
	return m
}

// places is how many organizations are known.
func (w *watermarks) places() int { return len(*w.known.Load()) + len(w.recent) }

// dismiss forgets the newcomer with the fewest events among some.
func (w *watermarks) dismiss() {
	var least tenant
	fewest, seen := math.MaxInt, 0
	for t, m := range w.newcomers { // they come in any order
		if m.accepted < fewest {
			least, fewest = t, m.accepted
		}
		if seen++; seen == newcomerSample {
			break
		}
	}
	delete(w.newcomers, least)
}

// hasPlace reports whether another organization can become known. If there is no
// place, those give theirs up that have not used it since the last sweep.
func (w *watermarks) hasPlace(now time.Time) bool {
	if w.places() < w.capacity {
		return true
	}
	if now.Sub(w.swept) < sweepInterval {
		return false
	}
	w.swept = now
	kept := make(map[tenant]*watermark, w.capacity)
	for _, places := range []map[tenant]*watermark{*w.known.Load(), w.recent} {
		for t, m := range places {
			if m.used.Swap(false) {
				kept[t] = m
			}
		}
	}
	w.known.Store(&kept)
	clear(w.recent)
	return len(kept) < w.capacity
}

// merge makes a new first map, when the second has grown to half of it.
func (w *watermarks) merge() {
	known := *w.known.Load()
	if 2*len(w.recent) <= len(known) {
		return
	}
	merged := make(map[tenant]*watermark, len(known)+len(w.recent))
	maps.Copy(merged, known)
	maps.Copy(merged, w.recent)
	w.known.Store(&merged)
	clear(w.recent)
}
