package window

import (
	"math"
	"strings"
)

// groups are found by their place, a hash of organization and key, and queued by
// organization.
type groups struct {
	n       int
	byPlace map[uint64]*member // the first of those with the same place
	// tenants are the organizations with groups here.
	tenants map[string]*tenant
	// lost is the newest timestamp of any group that was evicted. A new group
	// may have had events up to then.
	lost      int64
	evictions int64
}

func newGroups() groups {
	return groups{byPlace: map[uint64]*member{}, tenants: map[string]*tenant{}, lost: math.MinInt64}
}

// find returns the group with that key, or nil.
func (s *groups) find(place uint64, organization, key string) *member {
	m := s.byPlace[place]
	for m != nil && (!m.key.is(key) || m.tenant.organization != organization) {
		m = m.sibling
	}
	return m
}

// tenant returns the organization, which has not been here if it has no groups.
func (s *groups) tenant(organization string) *tenant {
	t := s.tenants[organization]
	if t == nil {
		t = &tenant{organization: strings.Clone(organization), horizon: math.MinInt64}
		s.tenants[t.organization] = t
	}
	return t
}

// join adds a group that is not here to a tenant.
func (s *groups) join(t *tenant, m *member) {
	m.tenant, m.sibling = t, s.byPlace[m.place]
	s.byPlace[m.place] = m
	s.n++
	t.keys++
	t.push(m)
}

// forget removes a group that was taken out of its tenant's queue.
func (s *groups) forget(m *member) {
	switch first := s.byPlace[m.place]; {
	case first != m:
		for first.sibling != m {
			first = first.sibling
		}
		first.sibling = m.sibling
	case m.sibling != nil:
		s.byPlace[m.place] = m.sibling
	default:
		delete(s.byPlace, m.place)
	}
	s.n--
	m.tenant.keys--
}

// sweep is the number of old groups that are looked at for each new one.
const sweep = 2

// expire removes dead groups of the tenant, a few at a time, and returns how
// many.
func (s *groups) expire(t *tenant) (removed int) {
	for range sweep {
		m := t.first
		switch {
		case m == nil:
			return removed
		case t.dead(m):
			s.forget(t.pop())
			removed++
		case m.touched:
			m.touched = false
			t.push(t.pop())
		default:
			return removed
		}
	}
	return removed
}

// evict removes the stalest group of the tenant that has to give one up for the
// newcomer, and reports whether it was live. A tenant that is left without
// groups is forgotten, unless it is the newcomer.
func (s *groups) evict(newcomer *tenant) (live bool) {
	t := s.victim(newcomer)
	for {
		m := t.pop()
		live = !t.dead(m)
		if live && m.touched {
			m.touched = false
			t.push(m)
			continue
		}
		s.forget(m)
		if live {
			s.lost = max(s.lost, m.newest())
			s.evictions++
		}
		if t.keys == 0 && t != newcomer {
			delete(s.tenants, t.organization)
		}
		return live
	}
}

// sample is the number of tenants among which the one with most groups is looked
// for.
const sample = 64

// victim returns the tenant that has to give up a group for the newcomer: the
// newcomer itself if it has its share of the groups, else one with more than
// that. There is one, as the shares add up to all groups.
func (s *groups) victim(newcomer *tenant) *tenant {
	if newcomer.keys*len(s.tenants) >= s.n {
		return newcomer
	}
	most, seen := newcomer, 0
	for _, t := range s.tenants { // they come in any order
		if t.keys > most.keys {
			most = t
		}
		if seen++; seen >= sample && most.keys*len(s.tenants) > s.n {
			break
		}
	}
	return most
}

// each calls f for every group, for those of a tenant in the order of its queue.
func (s *groups) each(f func(m *member)) {
	for _, t := range s.tenants {
		for m := t.first; m != nil; m = m.next {
			f(m)
		}
	}
}

// move moves the groups of a tenant for which it is right to other groups.
func (s *groups) move(t *tenant, to *groups, right func(m *member) bool) {
	m := t.first
	t.first = nil
	for m != nil {
		next := m.next
		if right(m) {
			s.forget(m)
			there := to.tenant(t.organization)
			there.horizon = t.horizon
			to.join(there, m)
		} else {
			t.push(m)
		}
		m = next
	}
	if t.keys == 0 {
		delete(s.tenants, t.organization)
	}
}
