package window

// An index finds groups by their place, a hash of organization and group: open
// addressing with linear probing, so that one look into memory finds the group
// in a large index.
type index struct {
	slots []slot
	n     int
}

type slot struct {
	place  uint64
	member *member
}

// find returns the group with that key, or nil.
func (x *index) find(place uint64, organization, key string) *member {
	if x.n == 0 {
		return nil
	}
	mask := uint64(len(x.slots) - 1)
	for i := place & mask; ; i = (i + 1) & mask {
		s := &x.slots[i]
		if s.member == nil {
			return nil
		}
		if s.place == place && s.member.key == key && s.member.tenant.organization == organization {
			return s.member
		}
	}
}

// add adds a group that is not there.
func (x *index) add(m *member) {
	if 4*(x.n+1) > 3*len(x.slots) {
		old := x.slots
		x.slots = make([]slot, max(8, 2*len(old)))
		for _, s := range old {
			if s.member != nil {
				x.put(s)
			}
		}
	}
	x.put(slot{m.place, m})
	x.n++
}

func (x *index) put(s slot) {
	mask := uint64(len(x.slots) - 1)
	i := s.place & mask
	for x.slots[i].member != nil {
		i = (i + 1) & mask
	}
	x.slots[i] = s
}

// remove removes a group that is there, and moves those behind it up, so that
// no gap hides them.
func (x *index) remove(m *member) {
	mask := uint64(len(x.slots) - 1)
	gap := m.place & mask
	for x.slots[gap].member != m {
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; x.slots[i].member != nil; i = (i + 1) & mask {
		// It may move up unless its own place is behind the gap.
		if home := x.slots[i].place & mask; (i-home)&mask >= (i-gap)&mask {
			x.slots[gap] = x.slots[i]
			gap = i
		}
	}
	x.slots[gap] = slot{}
	x.n--
}
