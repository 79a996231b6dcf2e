package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A queue holds the events that were submitted and that no worker has taken, with a
// lane for each organization. Those that no event was accepted from share a lane,
// so that made-up organizations have the share of one.
type queue struct {
	policy  QueuePolicy
	tenants tenants
	metrics meter

	mu      sync.Mutex
	waiting lanes[Delivery]
	unknown map[string]int // events in the lane of unknown organizations, by organization
	blocked map[laneName][]*submission
	shares  shares
	taken   int           // events that workers have taken and not given back
	idle    chan struct{} // closed when no event waits or is taken; nil if nobody waits for that
	arrived chan struct{} // closed when an event arrives; nil if nobody waits for one
	closing chan struct{} // closed when no more events are accepted
}

// A submission is a call of submit that waits for room.
type submission struct {
	Delivery

	lane     laneName
	places   int
	accepted chan struct{} // closed when the event has got in
}

func (q *queue) init(policy QueuePolicy, capacity int, t tenants, metrics meter) {
	q.policy, q.tenants, q.metrics = policy, t, metrics
	q.waiting.init(capacity)
	q.unknown = map[string]int{}
	q.blocked = map[laneName][]*submission{}
	q.closing = make(chan struct{})
}

// close makes the queue accept no more events.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed() {
		close(q.closing)
	}
}

func (q *queue) closed() bool {
	select {
	case <-q.closing:
		return true
	default:
		return false
	}
}

// submit adds an event, or returns why it did not.
func (q *queue) submit(ctx context.Context, d Delivery) error {
	dropped, blocked, err := q.enter(d)
	for range dropped {
		q.metrics.count(ctx, EventsDropped, q.policy.String())
	}
	if blocked != nil {
		err = q.await(ctx, blocked)
	}
	switch {
	case err == nil:
		q.measure(ctx)
	case errors.Is(err, ErrOverloaded):
		q.metrics.count(ctx, EventsRejected, "")
	}
	return err
}

// enter adds an event, at once or, if a submission is returned, when there is room.
func (q *queue) enter(d Delivery) (dropped int, blocked *submission, err error) {
	places := d.Event.places()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed() {
		return 0, nil, ErrClosed
	}
	name := q.lane(d.Event)
	if len(q.blocked[name]) > 0 || !q.waiting.room(name) {
		switch q.policy {
		case QueueReject:
			return 0, nil, fmt.Errorf("monitor: submit event: queue of %d: %w", q.waiting.capacity, ErrOverloaded)
		case QueueBlock:
			s := &submission{d, name, places, make(chan struct{})}
			q.blocked[name] = append(q.blocked[name], s)
			return 0, s, nil
		case QueueDropOldest:
		}
	}
	for q.policy == QueueDropOldest && q.waiting.places >= q.waiting.capacity {
		l := q.waiting.largest(name, places)
		q.left(l.name, q.waiting.remove(l, 0))
		dropped++
	}
	q.add(name, d, places)
	return dropped, nil, nil
}

// await waits until a submission has got in, or returns why it has not.
func (q *queue) await(ctx context.Context, s *submission) (err error) {
	select {
	case <-s.accepted:
		return nil
	case <-q.closing:
		err = ErrClosed
	case <-ctx.Done():
		err = fmt.Errorf("monitor: submit event: %w", ctx.Err())
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-s.accepted:
		return nil
	default:
	}
	q.block(s.lane, slices.DeleteFunc(q.blocked[s.lane], func(o *submission) bool { return o == s }))
	return err
}

// block sets the submissions that wait for room in a lane.
func (q *queue) block(name laneName, waiting []*submission) {
	if len(waiting) == 0 {
		delete(q.blocked, name)
	} else {
		q.blocked[name] = waiting
	}
}

// lane returns the lane of an event. Those of an organization that has become known
// leave the lane of the unknown ones.
func (q *queue) lane(e *Event) laneName {
	organization := q.tenants.of(e)
	if !q.tenants.known(organization) {
		return laneName{}
	}
	name := laneName{organization: organization}
	if q.unknown[organization] > 0 {
		delete(q.unknown, organization)
		q.waiting.move(laneName{}, name, func(d Delivery) bool { return q.tenants.of(d.Event) == organization })
	}
	return name
}

// add adds an event to its lane.
func (q *queue) add(name laneName, d Delivery, places int) {
	q.waiting.push(name, d, places)
	if name == (laneName{}) {
		organization := q.tenants.of(d.Event)
		if q.unknown[organization] == 0 {
			organization = strings.Clone(organization)
		}
		q.unknown[organization]++
	}
	if q.arrived != nil {
		close(q.arrived)
		q.arrived = nil
	}
}

// left notes that an event has left its lane, and lets in those that wait for room
// there.
func (q *queue) left(name laneName, d Delivery) {
	if name == (laneName{}) {
		organization := q.tenants.of(d.Event)
		if q.unknown[organization]--; q.unknown[organization] <= 0 {
			delete(q.unknown, organization)
		}
	}
	if len(q.blocked) == 0 {
		return
	}
	waiting := q.blocked[name]
	for len(waiting) > 0 && q.waiting.room(name) {
		s := waiting[0]
		waiting = waiting[1:]
		q.add(name, s.Delivery, s.places)
		close(s.accepted)
	}
	q.block(name, waiting)
}

// take adds events to a batch in turn, until they use so many places, none is left or it
// is the turn of a lane that has had its share. It leaves those lanes alone that except
// has. If it takes nothing, it returns a channel that is closed when an event arrives.
func (q *queue) take(b *batch, s *sequence, places int, except map[laneName]bool) (arrived <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var skip func(l *lane[Delivery]) bool
	if except != nil {
		skip = func(l *lane[Delivery]) bool { return except[l.name] }
	}
	q.shares.begin(places)
	taken := 0
	for places > 0 {
		l := q.waiting.next(skip)
		if l == nil || q.shares.used(l.name) {
			break
		}
		name, before := l.name, q.waiting.places
		d := q.waiting.take(l)
		used := before - q.waiting.places
		places -= used
		q.shares.took(name, used)
		q.left(name, d)
		b.add(d, s)
		taken++
	}
	q.taken += taken
	if taken > 0 {
		return nil
	}
	if q.arrived == nil {
		q.arrived = make(chan struct{})
	}
	return q.arrived
}

// done notes that a worker has no more to do with so many events that it has taken.
func (q *queue) done(events int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken -= events
	if q.idle != nil && q.empty() {
		close(q.idle)
		q.idle = nil
	}
}

// empty reports whether no event waits, and none is taken.
func (q *queue) empty() bool { return q.waiting.count+q.taken+len(q.blocked) == 0 }

// drained waits until the queue is empty, or returns why it did not become so.
func (q *queue) drained(ctx context.Context) error {
	q.mu.Lock()
	if q.empty() {
		q.mu.Unlock()
		return nil
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	idle := q.idle
	q.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("monitor: drain: %w", ctx.Err())
	}
}

// rest takes everything that is left.
func (q *queue) rest() (events []*Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for l := q.waiting.next(nil); l != nil; l = q.waiting.next(nil) {
		name := l.name
		d := q.waiting.take(l)
		q.left(name, d)
		events = append(events, d.Event)
	}
	return events
}

// lanesOf returns the lanes that the events of a batch are from.
func (q *queue) lanesOf(b *batch) map[laneName]bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	lanes := map[laneName]bool{}
	for i := range b.items {
		lanes[q.lane(b.items[i].Event)] = true
	}
	return lanes
}

// depth returns how many events wait, and how many places they use.
func (q *queue) depth() (events, places int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting.count, q.waiting.places
}

func (q *queue) measure(ctx context.Context) {
	if q.metrics.collector == nil {
		return // nobody needs to wait for the mutex
	}
	events, _ := q.depth()
	q.metrics.record(ctx, QueueDepth, int64(events), "")
}
