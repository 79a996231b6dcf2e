package window

import (
	"strings"
	"sync"
)

// IDs remembers the IDs of recent events by their sequence number, so that
// findings can name the events that made them. It is lossy on purpose: a window
// holds two numbers an event, and the IDs of old events are forgotten.
//
// The bytes are copied, because an event's strings may be parts of something
// much larger.
type IDs struct {
	stripes [idStripes]idStripe
}

const (
	idStripes = 64
	idBlocks  = 8
	// idBlock is how many numbers in a row are remembered in one stripe. A monitor
	// gives that many to a batch, so that goroutines seldom meet.
	idBlock = 64
	// MaxID is the length of the longest ID that is remembered.
	MaxID = 71
	// idText is the number of bytes that are allocated at once for the IDs in
	// findings.
	idText = 4096
)

type idStripe struct {
	mu    sync.Mutex
	slots []idSlot
	text  strings.Builder
	_     [64]byte
}

type idSlot struct {
	sequence uint64
	size     uint8
	id       [MaxID]byte
}

// Put remembers the ID of an event. An ID that is empty or too long is none.
func (s *IDs) Put(sequence uint64, id string) {
	if sequence == 0 {
		return
	}
	if len(id) > MaxID {
		id = ""
	}
	stripe := s.stripe(sequence)
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	if stripe.slots == nil {
		stripe.slots = make([]idSlot, idBlocks*idBlock)
	}
	slot := stripe.slot(sequence)
	slot.sequence = sequence
	slot.size = uint8(copy(slot.id[:], id))
}

// Get returns the ID of the event, or "" if it has none or was forgotten.
func (s *IDs) Get(sequence uint64) string {
	stripe := s.stripe(sequence)
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	if sequence == 0 || stripe.slots == nil || stripe.slot(sequence).sequence != sequence {
		return ""
	}
	// A builder only ever writes behind the text that it has handed out.
	if stripe.text.Cap()-stripe.text.Len() < MaxID {
		stripe.text.Reset()
		stripe.text.Grow(idText)
	}
	slot := stripe.slot(sequence)
	start := stripe.text.Len()
	stripe.text.Write(slot.id[:slot.size])
	return stripe.text.String()[start:]
}

func (s *IDs) stripe(sequence uint64) *idStripe {
	return &s.stripes[sequence/idBlock%idStripes]
}

func (s *idStripe) slot(sequence uint64) *idSlot {
	return &s.slots[sequence/idBlock/idStripes%idBlocks*idBlock+sequence%idBlock]
}
