package memalerts

import "time"

// A line has the organizations that wait for something that is done for one after the
// other, such as delivery on a route. First is the one that has waited longest: since
// it had something due or, if that is later, since its last turn.
type line struct {
	turns  queue[*turn]
	number uint64 // of turns that were given
}

// A turn is the place of an organization in a line.
type turn struct {
	organization string
	waits        time.Time // since when; may be in the future
	last         time.Time // when it last had its turn
	number       uint64    // of its last turn, for those that wait equally long
	place        int
}

func newLine() *line {
	return &line{turns: queue[*turn]{
		before: func(a, b *turn) bool {
			if c := a.waits.Compare(b.waits); c != 0 {
				return c < 0
			}
			return a.number < b.number
		},
		place: func(t *turn) *int { return &t.place },
	}}
}

// set says when the organization has something due. Zero means never.
func (l *line) set(t *turn, due time.Time) {
	if due.IsZero() {
		l.turns.remove(t)
		return
	}
	t.waits = due
	if t.last.After(due) {
		t.waits = t.last
	}
	l.turns.set(t)
}

// next gives a turn to the first organization that is not left out, and returns its
// name. It returns false if no organization has anything due.
func (l *line) next(now time.Time, without map[string]bool) (organization string, ok bool) {
	t := l.first(0, without)
	if t == nil || t.waits.After(now) {
		return "", false
	}
	l.number++
	t.waits, t.last, t.number = now, now, l.number
	l.turns.set(t)
	return t.organization, true
}

// first returns the first turn at or below a place of the heap that is not left out.
func (l *line) first(place int, without map[string]bool) *turn {
	if place >= len(l.turns.elements) {
		return nil
	}
	t := l.turns.elements[place]
	if !without[t.organization] {
		return t
	}
	a, b := l.first(2*place+1, without), l.first(2*place+2, without)
	if a == nil || b != nil && l.turns.before(b, a) {
		return b
	}
	return a
}
