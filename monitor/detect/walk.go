package detect

// A walk goes through the stamps of an entry, oldest first, with the window that
// ends with each. It is for windows in which not every event counts the same.
type walk struct {
	tally tally
	// start is the first stamp in the window.
	start int
	// skip is a stamp that the walk passes over, or -1.
	skip int
}

// A tally tells what a window comes to.
type tally interface {
	// reset empties the tally.
	reset()
	// enter adds the event that the window now ends with, and returns the count
	// that the threshold is compared with. The window begins after limit.
	enter(ts, limit int64, mark uint64) int
	// leave removes the event that came first.
	leave(mark uint64)
}

// newWalk returns a walk from the first stamp on.
func newWalk(r *rule) walk {
	w := walk{skip: -1}
	if r.kind == distinct {
		w.tally = &values{}
	} else {
		w.tally = newChains(r.Sequence)
	}
	w.tally.reset()
	return w
}

// restart puts the walk before the stamp from.
func (w *walk) restart(r *rule, from, skip int) {
	if w.tally == nil {
		*w = newWalk(r)
	}
	w.tally.reset()
	w.start, w.skip = from, skip
}

// advance takes the window to the i-th stamp, the next one, and returns its
// count.
func (w *walk) advance(en *entry, i int) int {
	ts := en.stamps.at(i).ts
	limit := minus(ts, en.window)
	for w.start < i && en.stamps.at(w.start).ts <= limit {
		if w.start != w.skip {
			w.tally.leave(*en.marked.marks.at(w.start))
		}
		w.start++
	}
	return w.tally.enter(ts, limit, *en.marked.marks.at(i))
}
