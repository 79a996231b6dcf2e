package memalerts

import (
	"slices"

	"github.com/auditwarden/auditwarden/alerting"
)

// An outbox has the notifications of an organization.
type outbox struct {
	// byAge has all of them, and some that are gone.
	byAge []*notification
	byKey map[address]*notification
}

// An address identifies a notification in an outbox.
type address struct{ route, key string }

func (n *notification) address() address { return address{n.Route, n.Key} }

func newOutbox() outbox { return outbox{byKey: map[address]*notification{}} }

// add adds the youngest notification.
func (o *outbox) add(n *notification) {
	o.index(n)
	o.byAge = append(o.byAge, n)
}

// index adds a notification to everything but byAge.
func (o *outbox) index(n *notification) {
	o.byKey[n.address()] = n
	n.record.waiting = append(n.record.waiting, n)
}

// unindex removes a notification from everything but byAge.
func (o *outbox) unindex(n *notification) {
	n.gone = true
	delete(o.byKey, n.address())
	n.record.waiting = slices.DeleteFunc(n.record.waiting, func(other *notification) bool { return other == n })
}

// remove removes a notification.
func (o *outbox) remove(n *notification) {
	o.unindex(n)
	if len(o.byAge) > 2*len(o.byKey)+100 {
		o.byAge = slices.DeleteFunc(o.byAge, func(n *notification) bool { return n.gone })
	}
}

// trim removes the oldest notifications until there are no more than that many. It
// returns how many it removed.
func (o *outbox) trim(most int) (removed int64) {
	for len(o.byKey) > most {
		oldest := o.byAge[0]
		o.byAge[0] = nil
		o.byAge = o.byAge[1:]
		if !oldest.gone {
			o.remove(oldest)
			removed++
		}
	}
	return removed
}

// route puts the notifications that have no route on those that routesOf returns.
func (o *outbox) route(routesOf func(*notification) []string) {
	var byAge []*notification
	for _, n := range o.byAge {
		switch {
		case n.gone:
		case n.Route != "":
			byAge = append(byAge, n)
		default:
			names := routesOf(n)
			o.unindex(n)
			for _, name := range names {
				routed := *n
				routed.Route, routed.gone = name, false
				o.index(&routed)
				byAge = append(byAge, &routed)
			}
		}
	}
	o.byAge = byAge
}

// handOut returns what whoever claims a notification or looks at it is given.
func (n *notification) handOut() *alerting.Notification {
	given := n.Notification
	given.Alert = n.record.alert.Clone()
	given.Targets = slices.Clone(n.Targets)
	return &given
}
