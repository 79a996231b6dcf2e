package window

import "math"

// A Group holds the events of one group in the order of their timestamps, as far
// back as a window of an event that may still come reaches. Events with the same
// timestamp rank by arrival.
type Group struct {
	// length is that of the window that start and marked were made for.
	length int64
	stamps ring[Stamp]
	// start is the first stamp of the window that ends with the newest.
	start int32
	// lost is the newest timestamp that a cap may have cut off.
	lost int64
	// marked is nil where every event counts the same.
	marked *marked
	// small is the room of stamps until there are more.
	small [smallRing]Stamp
}

// A Stamp is an event in a window.
type Stamp struct {
	Time     int64 // in nanoseconds since 1970
	Sequence uint64
}

// marked is what a group has beside when not every event counts the same.
type marked struct {
	// marks are in step with the stamps.
	marks ring[uint64]
	// walk has come to the newest stamp.
	walk walk
}

// An Observation is an event on its way into the window of its group.
type Observation struct {
	Stamp
	// Mark is what the event counts for.
	Mark uint64
	// Horizon is the time up to which no events are needed any more.
	Horizon int64
	// Hidden is how many events are in its window and not in the group.
	Hidden int
	// Repeated is set if the group may have counted the event before.
	Repeated bool
}

// A Hit is an event of a group that qualifies.
type Hit struct {
	Index int // in the group
	Count int
	// Completed is set if the event came before the one that made it qualify.
	Completed bool
}

// A Scratch is what judging groups needs, one after the other.
type Scratch struct {
	// Hits are what the last call found.
	Hits          []Hit
	before, after walk
}

// NewGroup returns a group that is in no table. An event may be missing from it
// up to the time lost.
func NewGroup(lost int64) *Group { return &Group{lost: lost} }

// Lost returns the newest timestamp that an event may be missing from.
func (g *Group) Lost() int64 { return g.lost }

// Lose says that an event may be missing up to that time.
func (g *Group) Lose(ts int64) { g.lost = max(g.lost, ts) }

// Len returns the number of events.
func (g *Group) Len() int { return g.stamps.len() }

// At returns the i-th event.
func (g *Group) At(i int) Stamp { return *g.stamps.at(i) }

// Marked reports whether events have marks.
func (g *Group) Marked() bool { return g.marked != nil }

// Mark returns the mark of the i-th event, 0 where every event counts the same.
func (g *Group) Mark(i int) uint64 {
	if g.marked == nil {
		return 0
	}
	return *g.marked.marks.at(i)
}

// UpTo returns the number of events that are not later than ts.
func (g *Group) UpTo(ts int64) int {
	low, high := 0, g.stamps.len()
	for low < high {
		if middle := int(uint(low+high) >> 1); g.stamps.at(middle).Time <= ts {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// Find returns where the group has an event, or -1.
func (g *Group) Find(st Stamp) int {
	for i := g.UpTo(st.Time) - 1; i >= 0 && g.stamps.at(i).Time == st.Time; i-- {
		if *g.stamps.at(i) == st {
			return i
		}
	}
	return -1
}

// Insert puts an event in its place, behind those of the same time. Beyond so
// many the oldest goes. Nothing is judged.
func (g *Group) Insert(st Stamp, mark uint64, kind Kind, most int) {
	if kind != Events && g.marked == nil {
		g.marked = &marked{walk: walk{start: math.MaxInt}}
	}
	for g.stamps.len() >= most {
		g.lost = max(g.lost, g.stamps.at(0).Time)
		g.drop()
	}
	g.insert(g.UpTo(st.Time), st, mark, most)
	g.length = 0
}

// Observe puts an event into its window, drops what is not needed any more, and
// finds the events that qualify because of it. An event that was counted before
// is judged again. It returns how many events the cap cost.
func (g *Group) Observe(r *Rule, o *Observation, s *Scratch) (truncated int) {
	s.reset()
	g.prepare(r)
	if o.Repeated {
		if i := g.Find(o.Stamp); i >= 0 {
			g.again(r, o, s, i, 0)
			return 0
		}
	}
	g.expire(o.Horizon)

	i := g.stamps.len()
	if o.Time < g.newest() {
		i = g.UpTo(o.Time)
	}
	for ; g.stamps.len() >= r.MaxEvents; truncated++ {
		if i == 0 {
			g.lost = max(g.lost, o.Time)
			return truncated + 1
		}
		g.lost = max(g.lost, g.stamps.at(0).Time)
		g.drop()
		i--
	}
	g.insert(i, o.Stamp, o.Mark, r.MaxEvents)
	switch late := i < g.stamps.len()-1; {
	case r.Kind == Events && !late:
		g.countNewest(r, o, s)
	case r.Kind == Events:
		g.countLate(r, o, s, i)
	case !late:
		if n := g.marked.walk.advance(g, i); n >= r.Threshold {
			s.hit(i, n, false)
		}
	default:
		g.walkLate(r, s, i)
	}
	return truncated
}

// Again finds the events that qualify among one that was counted before and
// those after it that have it in their window, but none before the first-th,
// which is where the last call for the group ended. Whatever was reported because
// of it may have got lost, and what qualified without it since cannot be told
// apart. It returns the first event that does not have it in its window.
func (g *Group) Again(r *Rule, o *Observation, s *Scratch, first int) (end int) {
	s.reset()
	g.prepare(r)
	return g.again(r, o, s, g.Find(o.Stamp), first)
}

func (g *Group) again(r *Rule, o *Observation, s *Scratch, i, first int) (end int) {
	end = max(i, first)
	if r.Kind != Events && i >= first {
		end = g.UpTo(Before(o.Time, g.length))
		s.after.restart(r, end, -1)
	}
	for ; end < g.stamps.len(); end++ {
		limit := Before(g.stamps.at(end).Time, g.length)
		if limit >= o.Time {
			break
		}
		n := end + 1 - g.UpTo(limit)
		if end == i {
			n += o.Hidden
		}
		if r.Kind != Events {
			n = s.after.advance(g, end)
		}
		if end >= i && n >= r.Threshold {
			s.hit(end, n, end != i)
		}
	}
	return end
}

// Preview returns what the window that would end with an event comes to. An
// event that the group holds is judged in its place. The group may be nil.
func Preview(r *Rule, g *Group, last Stamp, mark uint64) int {
	window := &Group{}
	if g != nil {
		for i, end := g.UpTo(Before(last.Time, r.Length)), g.UpTo(last.Time); i < end; i++ {
			if g.At(i) == last && last.Sequence != 0 {
				break
			}
			window.Insert(g.At(i), g.Mark(i), r.Kind, math.MaxInt)
		}
	}
	window.Insert(last, mark, r.Kind, math.MaxInt)
	if r.Kind == Events {
		return window.Len()
	}
	count := 0
	w := walk{tally: newTally(r), skip: -1}
	window.length = r.Length
	for i := range window.Len() {
		count = w.advance(window, i)
	}
	return count
}

// CountSteps counts the events of each step of a sequence in the window that ends with
// the i-th event, which qualifies. An event counts for one step: going back from the
// last, for the one before as soon as a step has what it takes.
func (g *Group) CountSteps(r *Rule, i int, counts []int) {
	step, limit := len(r.Steps)-1, Before(g.At(i).Time, r.Length)
	for ; i >= 0 && g.At(i).Time > limit; i-- {
		mark := g.Mark(i)
		if step > 0 && counts[step] >= r.Steps[step] && mark&(1<<(step-1)) != 0 {
			step--
		}
		if mark&(1<<step) != 0 {
			counts[step]++
		}
	}
	for step, n := range r.Steps {
		counts[step] = max(counts[step], n) // where events match several steps
	}
}

// newest returns the timestamp of the newest event.
func (g *Group) newest() int64 {
	if g.stamps.len() == 0 {
		return math.MinInt64
	}
	return g.stamps.at(g.stamps.len() - 1).Time
}

// prepare makes the group ready for a rule's window: what it knows about the
// window that ends with the newest event is computed if it is new, restored, or
// was made for another length.
func (g *Group) prepare(r *Rule) {
	if g.length == r.Length {
		return
	}
	g.length = r.Length
	if r.Kind == Events {
		g.start = int32(g.UpTo(Before(g.newest(), g.length)))
		return
	}
	if g.marked == nil {
		g.marked = &marked{}
	}
	g.marked.walk.restart(r, 0, -1)
	for i := range g.stamps.len() {
		g.marked.walk.advance(g, i)
	}
}

// expire drops the events up to the horizon.
func (g *Group) expire(horizon int64) {
	for g.stamps.len() > 0 && g.stamps.at(0).Time <= horizon {
		g.drop()
	}
}

// drop drops the oldest event.
func (g *Group) drop() {
	if m := g.marked; m != nil {
		if m.walk.start == 0 {
			m.walk.tally.leave(*m.marks.at(0))
		} else {
			m.walk.start--
		}
		m.marks.drop()
	}
	g.stamps.drop()
	if g.start > 0 {
		g.start--
	}
}

// insert puts an event before the i-th one.
func (g *Group) insert(i int, st Stamp, mark uint64, most int) {
	g.stamps.insert(i, st, most)
	if g.marked != nil {
		g.marked.marks.insert(i, mark, most)
	}
}

// countNewest counts the newest event.
func (g *Group) countNewest(r *Rule, o *Observation, s *Scratch) {
	newest := g.stamps.len() - 1
	limit := Before(o.Time, g.length)
	start := int(g.start)
	for start < newest && g.stamps.at(start).Time <= limit {
		start++
	}
	g.start = int32(start)
	if n := newest - start + 1 + o.Hidden; n >= r.Threshold {
		s.hit(newest, n, false)
	}
}

// countLate counts the i-th event, which was inserted before others. It can make
// only those after it qualify that have it among the threshold's number of events
// up to them, and whose window did not reach one event further back. If it lies
// before the newest event's window, start is too early now, which does not
// matter.
func (g *Group) countLate(r *Rule, o *Observation, s *Scratch, i int) {
	if n := i + 1 - g.UpTo(Before(o.Time, g.length)) + o.Hidden; n >= r.Threshold {
		s.hit(i, n, false)
	}
	for j := i + 1; j < g.stamps.len() && j < i+r.Threshold; j++ {
		limit := Before(g.stamps.at(j).Time, g.length)
		qualifies := j-r.Threshold+1 >= 0 && g.stamps.at(j-r.Threshold+1).Time > limit
		before := j-r.Threshold >= 0 && g.stamps.at(j-r.Threshold).Time > limit
		if qualifies && !before {
			s.hit(j, r.Threshold, true)
		}
	}
}

// walkLate judges the i-th event, which was inserted before others, and those
// after it, by going through their windows without it and with it.
func (g *Group) walkLate(r *Rule, s *Scratch, i int) {
	from := g.UpTo(Before(g.stamps.at(i).Time, g.length))
	s.before.restart(r, from, i)
	s.after.restart(r, from, -1)
	for j := from; j < g.stamps.len(); j++ {
		without := 0
		if j != i {
			without = s.before.advance(g, j)
		}
		with := s.after.advance(g, j)
		if with >= r.Threshold && without < r.Threshold {
			s.hit(j, with, j != i)
		}
	}
	g.marked.walk, s.after = s.after, g.marked.walk
}

// reset forgets the hits of the last call, which are few.
func (s *Scratch) reset() {
	if len(s.Hits) > 0 {
		s.Hits = s.Hits[:0]
	}
}

func (s *Scratch) hit(i, n int, completed bool) {
	s.Hits = append(s.Hits, Hit{Index: i, Count: n, Completed: completed})
}

// A walk goes through the events of a group, oldest first, with the window that
// ends with each. It is for windows in which not every event counts the same.
type walk struct {
	tally tally
	// start is the first event in the window.
	start int
	// skip is an event that the walk passes over, or -1.
	skip int
}

// restart puts the walk before the event from.
func (w *walk) restart(r *Rule, from, skip int) {
	if w.tally == nil {
		w.tally = newTally(r)
	}
	w.tally.reset()
	w.start, w.skip = from, skip
}

// advance takes the window to the i-th event, the next one, and returns its
// count.
func (w *walk) advance(g *Group, i int) int {
	ts := g.stamps.at(i).Time
	limit := Before(ts, g.length)
	for w.start < i && g.stamps.at(w.start).Time <= limit {
		if w.start != w.skip {
			w.tally.leave(*g.marked.marks.at(w.start))
		}
		w.start++
	}
	return w.tally.enter(ts, limit, *g.marked.marks.at(i))
}
