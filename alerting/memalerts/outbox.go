package memalerts

import (
	"container/list"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
)

// An outbox has the notifications of an organization.
type outbox struct {
	byAge *list.List // of *notification
	byKey map[address]*notification
	lanes []*lane
	// unrouted is the place in byAge of the oldest notification without a route, nil
	// if there is none. All later ones have none either.
	unrouted *list.Element
	dead     int
	bytes    int64
}

// An address identifies a notification in an outbox.
type address struct{ route, key string }

// A lane has what can be claimed on a route, by the time when it is due: the oldest
// notification of each alert that is not a dead letter.
type lane struct {
	route string
	queue queue[*notification]
	turn  *turn // in the line of the route
}

func newOutbox() outbox { return outbox{byAge: list.New(), byKey: map[address]*notification{}} }

// all yields the notifications, oldest first, from a place in byAge. The loop may
// remove the current one.
func (o *outbox) all(from *list.Element) iter.Seq[*notification] {
	return func(yield func(*notification) bool) {
		for e := from; e != nil; {
			n, _ := e.Value.(*notification)
			e = e.Next()
			if !yield(n) {
				return
			}
		}
	}
}

// add adds a notification before one that is as old or, if nil, as the newest.
func (o *outbox) add(n, as *notification) {
	if as == nil {
		n.age = o.byAge.PushBack(n)
	} else {
		n.age = o.byAge.InsertBefore(n, as.age)
	}
	o.byKey[address{n.Route, n.Key}] = n
	n.record.waiting = append(n.record.waiting, n)
	n.bytes = sizeOfNotification(&n.Notification)
	o.bytes += n.bytes
	if n.Route != "" {
		o.elect(n.record, n.Route)
	} else if o.unrouted == nil {
		o.unrouted = n.age
	}
}

// remove removes a notification.
func (o *outbox) remove(n *notification) {
	if n.age == o.unrouted {
		o.unrouted = n.age.Next()
	}
	o.byAge.Remove(n.age)
	delete(o.byKey, address{n.Route, n.Key})
	n.record.waiting = slices.DeleteFunc(n.record.waiting, func(other *notification) bool { return other == n })
	o.bytes -= n.bytes
	if n.dead {
		o.dead--
	}
	if n.Route != "" {
		o.lane(n.Route).queue.remove(n)
		o.elect(n.record, n.Route)
	}
}

// lane returns the lane of a route, which it creates if necessary.
func (o *outbox) lane(route string) *lane {
	for _, l := range o.lanes {
		if l.route == route {
			return l
		}
	}
	l := &lane{route: route, queue: queue[*notification]{
		before: func(a, b *notification) bool {
			if c := a.due.Compare(b.due); c != 0 {
				return c < 0
			}
			return a.number < b.number
		},
		place: func(n *notification) *int { return &n.place },
	}}
	o.lanes = append(o.lanes, l)
	return l
}

// unroutedSince returns since when notifications wait for a route, zero if none does.
func (o *outbox) unroutedSince() time.Time {
	if o.unrouted == nil {
		return time.Time{}
	}
	n, _ := o.unrouted.Value.(*notification)
	return n.due
}

// due returns when something can be claimed, zero for never.
func (l *lane) due() time.Time {
	if n, ok := l.queue.first(); ok {
		return n.due
	}
	return time.Time{}
}

// elect queues the notification of an alert that can be claimed on a route, if no
// notification of the alert is queued there.
func (o *outbox) elect(rec *record, route string) {
	for _, n := range rec.waiting {
		if n.Route == route && !n.dead {
			if n.place == 0 {
				o.lane(route).queue.set(n)
			}
			return
		}
	}
}

// withdraw undoes elect.
func (o *outbox) withdraw(rec *record, route string) {
	for _, n := range rec.waiting {
		if n.Route == route {
			o.lane(route).queue.remove(n)
		}
	}
}

// trim removes the oldest notifications above a limit. It returns how many it
// removed.
func (o *outbox) trim(most int) (removed int64) {
	for n := range o.all(o.byAge.Front()) {
		if len(o.byKey) <= most {
			break
		}
		o.remove(n)
		removed++
	}
	return removed
}

// route replaces notifications without a route by one for each of their routes.
func (o *outbox) route(routesOf func(*notification) []string) {
	for n := range o.all(o.unrouted) {
		for _, name := range routesOf(n) {
			routed := *n
			routed.Route = name
			o.add(&routed, n)
		}
		o.remove(n)
	}
}

// claim claims a notification on a route, if one is due.
func (o *outbox) claim(route string, now time.Time, lease time.Duration) *notification {
	l := o.lane(route)
	n, ok := l.queue.first()
	if !ok || n.due.After(now) {
		return nil
	}
	n.due = now.Add(lease)
	n.Attempts++
	l.queue.set(n)
	return n
}

// settle records the outcome of a delivery.
func (o *outbox) settle(d *alerting.Delivery, now time.Time) {
	n := o.byKey[address{d.Notification.Route, d.Notification.Key}]
	if n == nil {
		return
	}
	if d.Outcome == alerting.OutcomeDelivered {
		o.remove(n)
		return
	}
	if n.Attempts != d.Notification.Attempts || !n.CreatedAt.Equal(d.Notification.CreatedAt) {
		return // claimed or redriven meanwhile
	}
	o.bytes -= n.bytes
	n.Failure = strings.Clone(d.Notification.Failure)
	n.bytes = sizeOfNotification(&n.Notification)
	o.bytes += n.bytes
	o.withdraw(n.record, n.Route)
	if d.Outcome == alerting.OutcomeRetry {
		n.due = now.Add(d.RetryAfter)
	} else if !n.dead {
		n.dead = true
		o.dead++
	}
	o.elect(n.record, n.Route)
}

// redrive makes the dead letters of a route due again. Created is later than their
// CreatedAt, so that no settlement of an earlier claim is taken for one of a later.
func (o *outbox) redrive(route string, created, now time.Time) (redriven int) {
	for n := range o.all(o.byAge.Front()) {
		if n.dead && n.Route == route {
			o.withdraw(n.record, route)
			n.dead, n.Attempts, n.due, n.CreatedAt = false, 0, now, created
			o.dead--
			o.elect(n.record, route)
			redriven++
		}
	}
	return redriven
}

// oldest returns the earliest CreatedAt of what is to be delivered, zero if there is
// none.
func (o *outbox) oldest() (at time.Time) {
	for n := range o.all(o.byAge.Front()) {
		if !n.dead && (at.IsZero() || n.CreatedAt.Before(at)) {
			at = n.CreatedAt
		}
	}
	return at
}

// handOut returns a copy for the caller of the store.
func (n *notification) handOut() *alerting.Notification {
	given := n.Notification
	given.Alert = n.record.alert.Clone()
	given.Targets = slices.Clone(n.Targets)
	return &given
}
