package detect

import "math"

// An entry is one group of one organization: its events in the order of their
// timestamps, as far back as a window of an event that may still come reaches.
type entry struct {
	key    name
	tenant *tenant
	// window is the length of the window that start and marked were made for.
	window int64
	stamps ring[stamp]
	// start is the first stamp of the window that ends with the newest.
	start int32
	// touched is set by events, but for the first one.
	touched bool
	// lost is the newest timestamp that a cap may have cut off.
	lost int64
	// marked is nil in a table that only counts events.
	marked *marked
	// next is the next in the tenant's queue.
	next *entry
	// place is where the shard's index has the entry.
	place uint64
	// small is the room of stamps until there are more.
	small [smallRing]stamp
}

// A stamp is an event in a window.
type stamp struct {
	ts       int64
	sequence uint64
}

// marked is what an entry has beside when not every event counts the same.
type marked struct {
	// marks are in step with the stamps.
	marks ring[uint64]
	// walk has come to the newest stamp.
	walk walk
}

// newest returns the timestamp of the newest stamp.
func (en *entry) newest() int64 {
	if en.stamps.len() == 0 {
		return math.MinInt64
	}
	return en.stamps.at(en.stamps.len() - 1).ts
}

// after returns the number of stamps that are not later than ts.
func (en *entry) after(ts int64) int {
	low, high := 0, en.stamps.len()
	for low < high {
		if middle := int(uint(low+high) >> 1); en.stamps.at(middle).ts <= ts {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// markOf returns the mark of the i-th stamp.
func (en *entry) markOf(i int) uint64 {
	if en.marked == nil {
		return 0
	}
	return *en.marked.marks.at(i)
}

// prepare makes the entry ready for a rule's window: what it knows about the
// window that ends with the newest stamp is computed if it is new, restored, or
// was made for another length.
func (en *entry) prepare(r *rule) {
	if en.window == r.window {
		return
	}
	en.window = r.window
	if r.kind == counting {
		en.start = int32(en.after(minus(en.newest(), en.window)))
		return
	}
	if en.marked == nil {
		en.marked = &marked{}
	}
	en.marked.walk = newWalk(r)
	for i := range en.stamps.len() {
		en.marked.walk.advance(en, i)
	}
}

// expire drops the stamps up to the horizon.
func (en *entry) expire(horizon int64) {
	for en.stamps.len() > 0 && en.stamps.at(0).ts <= horizon {
		en.drop()
	}
}

// drop drops the oldest stamp.
func (en *entry) drop() {
	if m := en.marked; m != nil {
		if m.walk.start == 0 {
			m.walk.tally.leave(*m.marks.at(0))
		} else {
			m.walk.start--
		}
		m.marks.drop()
	}
	en.stamps.drop()
	if en.start > 0 {
		en.start--
	}
}

// insert puts a stamp before the i-th one.
func (en *entry) insert(i int, st stamp, mark uint64, limit int) {
	en.stamps.insert(i, st, limit)
	if en.marked != nil {
		en.marked.marks.insert(i, mark, limit)
	}
}

// minus returns a - b for a b that is not negative, and the least number if that
// is less.
func minus(a, b int64) int64 {
	if d := a - b; d <= a {
		return d
	}
	return math.MinInt64
}
