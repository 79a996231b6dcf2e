package monitor

import (
	"slices"
	"strings"
)

// lanes holds what waits, in a lane for each organization. Within a lane the order
// is kept; the lanes take turns, a place at a time.
//
// The lanes share a capacity, in places. As long as some of it is free, every lane
// has room. When it is used up, those lanes have room that are empty or have less
// than their share: the capacity, divided by the lanes in use. More than the capacity
// is then in use: n lanes have at most 1 + 1/2 + ... + 1/n times as much, and
// each one entry besides.
type lanes[T any] struct {
	capacity int
	places   int // in use
	count    int // entries
	byName   map[laneName]*lane[T]
	turn     *lane[T]   // whose it is; nil if all are empty
	spare    []*lane[T] // to be used again
}

// A laneName is what a lane is for. Organizations that are not known share the lanes
// without one.
type laneName struct{ organization, keyID string }

// A lane exists as long as it is not empty.
type lane[T any] struct {
	name       laneName
	prev, next *lane[T] // by turn, in a ring
	places     int
	debt       int // places that it has had before its turn
	entries    []entry[T]
	first      int // in entries
}

type entry[T any] struct {
	value  T
	places int
}

func (s *lanes[T]) init(capacity int) {
	s.capacity = capacity
	s.byName = map[laneName]*lane[T]{}
}

// room reports whether a lane has room for one entry more.
func (s *lanes[T]) room(name laneName) bool {
	if s.places < s.capacity {
		return true
	}
	l := s.byName[name]
	return l == nil || !s.full(l, 0)
}

// full reports whether a lane, with so many places more, has its share.
func (s *lanes[T]) full(l *lane[T], more int) bool {
	return l.places+more >= max(1, s.capacity/len(s.byName))
}

// largest returns a lane that has its share when one gets so many places more: that
// one, if possible.
func (s *lanes[T]) largest(name laneName, more int) *lane[T] {
	if l := s.byName[name]; l != nil && s.full(l, more) {
		return l
	}
	l := s.turn
	for !s.full(l, 0) {
		l = l.next
	}
	return l
}

// push adds an entry at the end of a lane.
func (s *lanes[T]) push(name laneName, value T, places int) {
	l := s.byName[name]
	if l == nil {
		l = s.open(name)
	}
	if l.first > 0 && len(l.entries) == cap(l.entries) && 2*l.first >= len(l.entries) {
		left := copy(l.entries, l.entries[l.first:])
		clear(l.entries[left:])
		l.entries, l.first = l.entries[:left], 0
	}
	l.entries = append(l.entries, entry[T]{value, places})
	l.places += places
	s.places += places
	s.count++
}

// open makes a lane, whose turn comes after that of all others.
func (s *lanes[T]) open(name laneName) *lane[T] {
	l := &lane[T]{}
	if n := len(s.spare); n > 0 {
		l, s.spare = s.spare[n-1], s.spare[:n-1]
	}
	// The name outlives the event that it came with.
	l.name = laneName{strings.Clone(name.organization), strings.Clone(name.keyID)}
	s.byName[l.name] = l
	if s.turn == nil {
		l.prev, l.next = l, l
		s.turn = l
		return l
	}
	l.prev, l.next = s.turn.prev, s.turn
	l.prev.next, l.next.prev = l, l
	return l
}

// close ends a lane that is empty.
func (s *lanes[T]) close(l *lane[T]) {
	const spares, most = 64, 1024
	delete(s.byName, l.name)
	switch {
	case l.next == l:
		s.turn = nil
	case s.turn == l:
		s.turn = l.next
	}
	l.prev.next, l.next.prev = l.next, l.prev
	if len(s.spare) < spares && cap(l.entries) <= most {
		*l = lane[T]{entries: l.entries[:0]}
		s.spare = append(s.spare, l)
	}
}

// next returns the lane whose turn it is, of those that skip does not, or nil if
// there is none. Skip may be nil.
func (s *lanes[T]) next(skip func(l *lane[T]) bool) *lane[T] {
	for indebted := true; indebted; {
		indebted = false
		for range len(s.byName) {
			l := s.turn
			switch {
			case skip != nil && skip(l):
			case l.debt > 0:
				l.debt--
				indebted = true
			default:
				return l
			}
			s.turn = l.next
		}
	}
	return nil
}

// head returns the first entry of a lane.
func (l *lane[T]) head() T { return l.entries[l.first].value }

// take takes the first entry of the lane that next returned and ends its turn.
func (s *lanes[T]) take(l *lane[T]) T {
	l.debt = l.entries[l.first].places - 1
	s.turn = l.next
	return s.remove(l, 0)
}

// remove takes the entry out that is that far behind the first.
func (s *lanes[T]) remove(l *lane[T], behind int) T {
	at := l.first + behind
	e := l.entries[at]
	if behind == 0 {
		l.entries[at] = entry[T]{}
		l.first++
	} else {
		l.entries = slices.Delete(l.entries, at, at+1)
	}
	l.places -= e.places
	s.places -= e.places
	s.count--
	if l.first == len(l.entries) {
		s.close(l)
	}
	return e.value
}

// move moves the entries that match from a lane to the end of another.
func (s *lanes[T]) move(from, to laneName, match func(value T) bool) {
	l := s.byName[from]
	if l == nil {
		return
	}
	var moved []entry[T] // the last first
	for behind := len(l.entries) - l.first - 1; behind >= 0; behind-- {
		if e := l.entries[l.first+behind]; match(e.value) {
			moved = append(moved, e)
			s.remove(l, behind)
		}
	}
	for _, e := range slices.Backward(moved) {
		s.push(to, e.value, e.places)
	}
}

// all calls f for every entry.
func (s *lanes[T]) all(f func(value T)) {
	for _, l := range s.byName {
		for _, e := range l.entries[l.first:] {
			f(e.value)
		}
	}
}
