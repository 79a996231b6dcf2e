package monitor

import "sync/atomic"

// A sequence numbers events, from 1. It hands numbers out in blocks, one block at
// a time to each batch that is in use, so that processors rarely write the same
// cache line. The numbers are unique; those of different batches do not tell who
// came first.
type sequence struct {
	_ [64]byte
	atomic.Uint64
	_ [64]byte
}

// sequenceBlock is how many numbers are taken at once.
const sequenceBlock = 64

// numbers are those of a block that are left.
type numbers struct{ next, end uint64 }

// take returns a number, from a new block if the old one is used up.
func (n *numbers) take(s *sequence) uint64 {
	if n.next == n.end {
		n.end = s.Add(sequenceBlock) + 1
		n.next = n.end - sequenceBlock
	}
	n.next++
	return n.next - 1
}
