package memalerts

import (
	"container/list"
	"iter"
	"slices"

	"github.com/auditwarden/auditwarden/alerting"
)

// An outbox has the notifications of an organization.
type outbox struct {
	byAge *list.List // of *notification
	byKey map[address]*notification
}

// An address identifies a notification in an outbox.
type address struct{ route, key string }

func newOutbox() outbox { return outbox{byAge: list.New(), byKey: map[address]*notification{}} }

// all yields the notifications, oldest first. The loop may remove the current one.
func (o *outbox) all() iter.Seq[*notification] {
	return func(yield func(*notification) bool) {
		for e := o.byAge.Front(); e != nil; {
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
		n.place = o.byAge.PushBack(n)
	} else {
		n.place = o.byAge.InsertBefore(n, as.place)
	}
	o.byKey[address{n.Route, n.Key}] = n
	n.record.waiting = append(n.record.waiting, n)
}

// remove removes a notification.
func (o *outbox) remove(n *notification) {
	o.byAge.Remove(n.place)
	delete(o.byKey, address{n.Route, n.Key})
	n.record.waiting = slices.DeleteFunc(n.record.waiting, func(other *notification) bool { return other == n })
}

// trim removes the oldest notifications above a limit. It returns how many it
// removed.
func (o *outbox) trim(most int) (removed int64) {
	for n := range o.all() {
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
	for n := range o.all() {
		if n.Route != "" {
			continue
		}
		for _, name := range routesOf(n) {
			routed := *n
			routed.Route = name
			o.add(&routed, n)
		}
		o.remove(n)
	}
}

// handOut returns a copy for the caller of the store.
func (n *notification) handOut() *alerting.Notification {
	given := n.Notification
	given.Alert = n.record.alert.Clone()
	given.Targets = slices.Clone(n.Targets)
	return &given
}
