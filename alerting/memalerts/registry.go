package memalerts

import (
	"slices"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
)

// A registry finds organizations: by name, those that have something to do, and the
// one that has to give up alerts. Its mutex is held for a moment only, and nothing is
// waited for meanwhile, in particular no organization.
type registry struct {
	mu       sync.Mutex
	byName   map[string]*organization
	all      []*organization
	budget   budget
	timers   *line            // organizations with timers
	unrouted *line            // organizations with notifications without a route
	routes   map[string]*line // organizations with notifications on a route
	lost     losses           // of all organizations
}

func newRegistry(most int64) registry {
	return registry{
		byName:   map[string]*organization{},
		budget:   newBudget(most),
		timers:   newLine(),
		unrouted: newLine(),
		routes:   map[string]*line{},
		lost:     newLosses(),
	}
}

// find returns an organization, or nil.
func (r *registry) find(name string) *organization {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byName[name]
}

// findOrAdd returns an organization, which it adds if necessary.
func (r *registry) findOrAdd(name string, add func() *organization) *organization {
	r.mu.Lock()
	defer r.mu.Unlock()
	org := r.byName[name]
	if org == nil {
		org = add()
		org.index = len(r.all)
		org.account = &account{organization: org.name}
		org.timed, org.routed = &turn{organization: org.name}, &turn{organization: org.name}
		r.byName[org.name] = org
		r.all = append(r.all, org)
	}
	return org
}

// list returns one organization, if it exists, or all of them.
func (r *registry) list(name string) []*organization {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == alerting.AllOrganizations {
		return slices.Clone(r.all)
	}
	if org := r.byName[name]; org != nil {
		return []*organization{org}
	}
	return nil
}

// update takes note of what has changed in an organization, whose mutex is held. It
// removes the organization if it is empty.
func (r *registry) update(o *organization) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost.take(&o.lost)
	r.timers.set(o.timed, o.timersDue())
	r.unrouted.set(o.routed, o.outbox.unroutedSince())
	for _, l := range o.outbox.lanes {
		if l.turn == nil {
			l.turn = &turn{organization: o.name}
		}
		r.route(l.route).set(l.turn, l.due())
	}
	if o.empty() {
		r.remove(o)
	} else {
		r.budget.set(o.account, o.size(), o.known(), o.heard)
	}
}

func (r *registry) remove(o *organization) {
	o.removed = true
	delete(r.byName, o.name)
	last := len(r.all) - 1
	r.all[o.index], r.all[last].index = r.all[last], o.index
	r.all[last] = nil
	r.all = r.all[:last]
	r.budget.remove(o.account)
}

// route returns the line of a route.
func (r *registry) route(name string) *line {
	l := r.routes[name]
	if l == nil {
		l = newLine()
		r.routes[name] = l
	}
	return l
}

// nextTimers gives a turn to an organization with timers that are due.
func (r *registry) nextTimers(now time.Time) (organization string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.timers.next(now, nil)
}

// nextUnrouted gives a turn to an organization with notifications without a route.
func (r *registry) nextUnrouted(now time.Time) (organization string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unrouted.next(now, nil)
}

// nextOn gives a turn to an organization with notifications that are due on a route.
func (r *registry) nextOn(route string, now time.Time, paused map[string]bool) (organization string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.route(route).next(now, paused)
}

// giver returns the organization that has to give up alerts, and how many bytes.
func (r *registry) giver() (organization string, bytes int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.budget.giver()
}
