package memalerts

import "container/list"

// newcomersPart is the part of a budget that newcomers can keep if others need it.
const newcomersPart = 16

// A budget limits the memory of all organizations together. Above the limit, the one
// that uses most has to give up alerts. Newcomers, of which little was heard yet,
// have a small part of the budget, and all of it while nobody else needs it. Above
// their part they have to give first, so that made-up organizations take nothing from
// the others. Among them, it is the one that was heard of longest ago.
type budget struct {
	most, used int64 // bytes
	known      queue[*account]
	newcomers  list.List // of *account, by when they were heard of
	byNew      int64     // used by the newcomers
}

// An account is what an organization uses of a budget.
type account struct {
	organization string
	bytes        int64
	known        bool
	heard        int           // see set
	place        int           // among the known
	element      *list.Element // among the newcomers
}

func newBudget(most int64) budget {
	return budget{most: most, known: queue[*account]{
		before: func(a, b *account) bool { return a.bytes > b.bytes },
		place:  func(a *account) *int { return &a.place },
	}}
}

// set says what an organization uses, whether it is known, and how often it was heard
// of.
func (b *budget) set(a *account, bytes int64, known bool, heard int) {
	change := bytes - a.bytes
	a.bytes += change
	b.used += change
	if !a.known {
		b.byNew += change
	}
	switch {
	case known && !a.known:
		b.leaveNewcomers(a)
		b.byNew -= bytes
		a.known = true
		b.known.set(a)
	case known:
		b.known.set(a)
	case a.element == nil:
		a.element = b.newcomers.PushBack(a)
	case heard > a.heard:
		b.newcomers.MoveToBack(a.element)
	}
	a.heard = heard
}

func (b *budget) leaveNewcomers(a *account) {
	if a.element != nil {
		b.newcomers.Remove(a.element)
		a.element = nil
	}
}

// remove removes an organization.
func (b *budget) remove(a *account) {
	b.used -= a.bytes
	if !a.known {
		b.byNew -= a.bytes
	}
	b.leaveNewcomers(a)
	b.known.remove(a)
}

// giver returns the organization that has to give something up, and how many bytes.
func (b *budget) giver() (organization string, bytes int64, ok bool) {
	if b.used <= b.most {
		return "", 0, false
	}
	giver, ok := b.known.first()
	if first := b.newcomers.Front(); first != nil && (!ok || b.byNew > b.most/newcomersPart) {
		giver, ok = first.Value.(*account)
	}
	if !ok {
		return "", 0, false
	}
	return giver.organization, b.used - b.most, true
}
