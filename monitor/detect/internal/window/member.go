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

// A tenant is an organization with groups. Its groups are queued such that those
// that were not touched for long are in front: a group that was touched since
// it was queued goes to the back when it comes up.
type tenant struct {
	organization string
	keys         int
	// horizon is the time up to which the organization's events are not needed
	// any more.
	horizon     int64
	first, last *member
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
