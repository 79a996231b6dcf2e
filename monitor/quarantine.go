package monitor

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A quarantine keeps events that are to be tried again later, while there is
// somebody to try: those whose verification is undecided, and submitted ones
// that failed where others did not.
//
// What an undecided event says of its organization is a claim. Such events are
// apart for each key that they name, and do not use the room of those that failed
// after they had been verified.
//
// Submit accepts no events for a lane that has more than its share of a full
// quarantine. Those that it had accepted before still find room: as much as the
// queue holds.
type quarantine struct {
	capacity int // in places, of each kind; negative: off
	overflow int // places beyond, for what was accepted or has less than its share
	tenants  tenants
	events   atomic.Int64 // also those that are being tried

	mu        sync.Mutex
	open      bool
	undecided shelf
	failed    shelf
	released  chan struct{} // closed when events have left; nil if nobody waits for that
}

// A shelf is one kind of quarantined events.
type shelf struct {
	lanes[*kept]

	out   *kept // that is being tried
	round int   // in which they are tried
}

// kept is an event in the quarantine.
type kept struct {
	item

	since time.Time
	round int // in which it was tried last
}

func (q *quarantine) init(capacity, overflow int, t tenants) {
	if capacity < 0 {
		overflow = 0
	}
	q.capacity, q.overflow, q.tenants = capacity, overflow, t
	q.undecided.init(capacity)
	q.failed.init(capacity)
}

func (q *quarantine) shelves() [2]*shelf { return [...]*shelf{&q.undecided, &q.failed} }

// keep takes over the event, with what was already done of it, and reports
// whether there was room.
func (q *quarantine) keep(it *item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	s, name := q.place(it)
	if !q.open || s.places >= q.capacity+q.overflow || !it.submitted && !s.room(name) {
		return false
	}
	k := &kept{item: *it, since: time.Now()}
	k.quarantined, k.aside, k.Context = true, false, it.ctx
	if !it.submitted {
		k.Event = it.Event.Clone() // its owner may change it
	}
	s.push(name, k, k.Event.places())
	q.events.Add(1)
	return true
}

// place returns where an event belongs.
func (q *quarantine) place(it *item) (*shelf, laneName) {
	if errors.Is(it.failed, ErrUndecided) {
		return &q.undecided, q.undecidedLane(it.Event)
	}
	return &q.failed, laneName{organization: it.reporter.arrival.OrganizationID}
}

func (q *quarantine) undecidedLane(e *Event) laneName {
	organization := q.tenants.of(e)
	if !q.tenants.known(organization) {
		organization = ""
	}
	return laneName{organization, clip(e.KeyID, MaxFieldSize)}
}

// full returns nil if there is room in the lanes that an event may come to, and
// otherwise a channel that is closed when events have left the quarantine.
func (q *quarantine) full(e *Event) (released <-chan struct{}) {
	if q.events.Load() == 0 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if s, _ := q.fullLane(e); s == nil {
		return nil
	}
	if q.released == nil {
		q.released = make(chan struct{})
	}
	return q.released
}

func (q *quarantine) fullLane(e *Event) (*shelf, laneName) {
	if name := q.undecidedLane(e); !q.undecided.room(name) {
		return &q.undecided, name
	} else if failed := (laneName{organization: name.organization}); failed != (laneName{}) && !q.failed.room(failed) {
		return &q.failed, failed
	}
	return nil, laneName{}
}

// dropOldest drops the oldest submitted event from a lane that an event may come to
// and that is full.
func (q *quarantine) dropOldest(e *Event) *kept {
	q.mu.Lock()
	defer q.mu.Unlock()
	s, name := q.fullLane(e)
	if s == nil {
		return nil
	}
	l := s.byName[name]
	i := slices.IndexFunc(l.entries[l.first:], func(k entry[*kept]) bool { return k.value.submitted })
	if i < 0 {
		return nil
	}
	q.events.Add(-1)
	return s.remove(l, i)
}

// next takes an event out that is to be tried in this round, and returns what it
// waits for. It leaves those events for the next round that wait for something that
// is lasting. The event is nil if there is none.
func (q *quarantine) next(s *shelf, lasting map[laneName]bool) (k *kept, cause laneName) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := s.next(func(l *lane[*kept]) bool {
		return l.head().round == s.round || len(lasting) > 0 && lasting[q.cause(s, l.name)]
	})
	if l == nil {
		return nil, cause
	}
	cause = q.cause(s, l.name)
	s.out = s.take(l)
	s.out.round = s.round
	return s.out, cause
}

// cause is what the events in a lane wait for: the key that verifies them, whoever
// they are from, or what their organization has for itself.
func (q *quarantine) cause(s *shelf, name laneName) laneName {
	if s == &q.undecided {
		name.organization = ""
	}
	return name
}

// putBack ends what next began: the event was settled, or it stays.
func (q *quarantine) putBack(s *shelf, k *kept) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s.out = nil
	if k.stage == settled {
		q.events.Add(-1)
		if q.released != nil {
			close(q.released)
			q.released = nil
		}
		return
	}
	to, name := q.place(&k.item)
	if to != s {
		k.round = 0
	}
	to.push(name, k, k.Event.places())
}

// rest takes everything out.
func (q *quarantine) rest() (events []*Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.shelves() {
		for l := s.lanes.next(nil); l != nil; l = s.lanes.next(nil) {
			events = append(events, s.take(l).Event)
			q.events.Add(-1)
		}
	}
	return events
}

// active reports whether the quarantine is on and there is somebody to try again.
func (q *quarantine) active() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open && q.capacity >= 0
}

func (q *quarantine) setOpen(open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = open
}

// A shelfState is how much of a kind is quarantined.
type shelfState struct {
	events, places int
	since          time.Time // when the oldest came
}

func (q *quarantine) state() (undecided, failed shelfState) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.undecided.state(), q.failed.state()
}

func (s *shelf) state() shelfState {
	state := shelfState{events: s.count, places: s.places}
	note := func(k *kept) {
		if state.since.IsZero() || k.since.Before(state.since) {
			state.since = k.since
		}
	}
	s.all(note)
	if s.out != nil {
		state.events++
		note(s.out)
	}
	return state
}
