package window

// A member is a group of a table.
type member struct {
	key    name
	tenant *tenant
	// touched is set by events, but for the first one.
	touched bool

	Group

	// place is where the table has it, and sibling the next one of that place.
	place   uint64
	sibling *member
	// next is the next in the tenant's queue.
	next *member
}

// A tenant is an organization with groups in a shard. Its groups are queued such
// that those that were not touched for long are in front: a group that was touched
// since it was queued goes to the back when it comes up.
type tenant struct {
	*organization
	keys int
	// horizon is the time up to which the organization's events are not needed
	// any more.
	horizon     int64
	first, last *member

	// in is the queue that the tenant is in, queued the ledger's clock when it was
	// put there, and before and after are its neighbors.
	in            *tenants
	queued        int64
	before, after *tenant
}

// advance raises the horizon. It seldom changes, and what is not written stays in
// the caches of all processors.
func (t *tenant) advance(horizon int64) {
	if horizon > t.horizon {
		t.horizon = horizon
	}
}

// dead reports whether nothing the group holds is needed any more.
func (t *tenant) dead(m *member) bool { return m.newest() <= t.horizon }

func (t *tenant) push(m *member) {
	m.next = nil
	if t.first == nil {
		t.first = m
	} else {
		t.last.next = m
	}
	t.last = m
}

func (t *tenant) pop() *member {
	m := t.first
	t.first = m.next
	return m
}

// tenants are queued like the groups of a tenant: those that are idle for long are
// in front.
type tenants struct {
	n           int
	first, last *tenant
}

// push puts a tenant at the end.
func (q *tenants) push(t *tenant, now int64) {
	t.in, t.queued, t.before, t.after = q, now, q.last, nil
	if q.last == nil {
		q.first = t
	} else {
		q.last.after = t
	}
	q.last = t
	q.n++
}

// remove takes a tenant out.
func (q *tenants) remove(t *tenant) {
	if t.before == nil {
		q.first = t.after
	} else {
		t.before.after = t.after
	}
	if t.after == nil {
		q.last = t.before
	} else {
		t.after.before = t.before
	}
	q.n--
}

// idlest returns the tenant that is idle for the longest time, or nil if there is
// none.
func (q *tenants) idlest(now int64) *tenant {
	for range q.n {
		t := q.first
		if t.seen.Load() <= t.queued {
			break
		}
		q.remove(t)
		q.push(t, now)
	}
	return q.first
}

// sample is the number of tenants among which the one with most groups is looked
// for.
const sample = 64

// largest returns the tenant with most groups of those that exceed their share, or
// nil if none does.
func (q *tenants) largest(b *bill) (most *tenant) {
	var groups int64
	seen := 0
	for t := q.first; t != nil && (most == nil || seen < sample); t = t.after {
		if n := t.groups.Load(); n > groups && b.exceeds(n) {
			most, groups = t, n
		}
		seen++
	}
	return most
}
