package window

import "math"

// groups are found by their place, a hash of organization and key, and queued by
// organization.
type groups struct {
	n       int
	byPlace map[uint64]*member // the first of those with the same place
	// tenants are the organizations with groups here. Each is queued by what it
	// was when it was last looked at.
	tenants          map[string]*tenant
	newcomers, known tenants
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
	for m != nil && (!m.key.is(key) || m.tenant.name != organization) {
		m = m.sibling
	}
	return m
}

// join adds a group of an organization that is not here.
func (s *groups) join(o *organization, horizon, now int64, m *member) {
	t := s.tenants[o.name]
	if t == nil {
		t = &tenant{organization: o, horizon: math.MinInt64}
		s.tenants[o.name] = t
		if o.known.Load() {
			s.known.push(t, now)
		} else {
			s.newcomers.push(t, now)
		}
	}
	t.advance(horizon)
	m.tenant, m.sibling = t, s.byPlace[m.place]
	s.byPlace[m.place] = m
	s.n++
	t.keys++
	t.push(m)
}

// forget removes a group that was taken out of its tenant's queue, and the tenant
// with its last group.
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
	t := m.tenant
	if t.keys--; t.keys == 0 {
		t.in.remove(t)
		delete(s.tenants, t.name)
	}
}

// sweep is the number of old groups that are looked at for each new one.
const sweep = 2

// expire removes dead groups of a tenant, a few at a time, and returns how many.
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

// payer returns the tenant here that has to give up a group, or nil.
func (s *groups) payer(b *bill, now int64) *tenant {
	switch {
	case b.newcomers:
		for t := s.newcomers.idlest(now); t != nil; t = s.newcomers.idlest(now) {
			if !t.organization.known.Load() {
				return t
			}
			s.promote(t)
		}
		return nil
	case b.by != nil:
		return s.tenants[b.by.name]
	case s.known.n == 0: // those that became known by what they did elsewhere
		for t := s.newcomers.first; t != nil; {
			next := t.after
			if t.organization.known.Load() {
				s.promote(t)
			}
			t = next
		}
	}
	if t := s.known.largest(b); t != nil {
		return t
	}
	return s.known.idlest(now)
}

// promote queues a newcomer that is known now with the others that are.
func (s *groups) promote(t *tenant) {
	s.newcomers.remove(t)
	s.known.push(t, t.queued)
}

// evict removes the stalest group of a tenant and reports whether it was live.
func (s *groups) evict(t *tenant) (live bool) {
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
		return live
	}
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
			to.join(t.organization, t.horizon, t.queued, m)
		} else {
			t.push(m)
		}
		m = next
	}
}
