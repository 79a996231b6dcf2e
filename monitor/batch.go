package monitor

import "slices"

// A batch is the events of one call, with what the stages need memory for.
type batch struct {
	items     []item
	numbers   numbers // sequence numbers to hand out
	reporting reporting
	judging   judging
	raising   occurrences
	traced    traced
	counted   *callCount // where the calls that use it are counted
}

// add adds an event that arrives.
func (b *batch) add(d Delivery, s *sequence) {
	n := len(b.items)
	b.items = slices.Grow(b.items, 1)[:n+1] // it is cleared
	it := &b.items[n]
	it.Delivery = d
	it.reporter.arrival.Sequence = b.numbers.take(s)
}

// remove takes the items out for which done is true.
func (b *batch) remove(done func(it *item) bool) {
	left := 0
	for i := range b.items {
		if !done(&b.items[i]) {
			b.items[left] = b.items[i]
			left++
		}
	}
	clear(b.items[left:])
	b.items = b.items[:left]
}
