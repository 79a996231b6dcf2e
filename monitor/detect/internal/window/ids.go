package window

import (
	"strings"
	"sync"
)

// IDs remembers the IDs of recent events by their sequence number, so that
// findings can name the events that made them. It is lossy on purpose: a window
// holds two numbers an event, and the IDs of old events are forgotten.
//
// The bytes are copied, because the strings of an event may be parts of something
// much larger, and into place, because an event that nothing comes of must not
// allocate.
type IDs struct{ blocks [512]idBlock }

const (
	// idBlockSize is how many numbers in a row are remembered in one block. A
	// monitor gives that many to a batch, so that goroutines seldom meet in one.
	idBlockSize = 64
	// MaxID is the length of the longest ID that is remembered.
	MaxID = 71
	// idText is the number of bytes that are allocated at once for the IDs in
	// findings.
	idText = 1024
)

type idBlock struct {
	mu    sync.Mutex
	slots *[idBlockSize]idSlot
	text  strings.Builder
	_     [16]byte // a cache line each
}

type idSlot struct {
	sequence uint64
	size     uint8
	id       [MaxID]byte
}

// Put remembers the ID of an event. An ID that is empty or too long is none.
func (s *IDs) Put(sequence uint64, id string) {
	if len(id) > MaxID {
		id = ""
	}
	b := s.lock(sequence)
	defer b.mu.Unlock()
	if b.slots == nil {
		b.slots = &[idBlockSize]idSlot{}
	}
	slot := &b.slots[sequence%idBlockSize]
	slot.sequence = sequence
	slot.size = uint8(copy(slot.id[:], id))
}

// Get returns the ID of the event, or "" if it has none or was forgotten. The
// number 0 is that of no event.
func (s *IDs) Get(sequence uint64) string {
	b := s.lock(sequence)
	defer b.mu.Unlock()
	if sequence == 0 || b.slots == nil || b.slots[sequence%idBlockSize].sequence != sequence {
		return ""
	}
	// A builder only ever writes behind the text that it has handed out.
	if b.text.Cap()-b.text.Len() < MaxID {
		b.text.Reset()
		b.text.Grow(idText)
	}
	slot := &b.slots[sequence%idBlockSize]
	start := b.text.Len()
	b.text.Write(slot.id[:slot.size])
	return b.text.String()[start:]
}

// lock returns the block of the number, locked.
func (s *IDs) lock(sequence uint64) *idBlock {
	b := &s.blocks[sequence/idBlockSize%uint64(len(s.blocks))]
	b.mu.Lock()
	return b
}
