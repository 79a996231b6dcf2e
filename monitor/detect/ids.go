package detect

import (
	"strings"
	"sync"
)

// ids remembers the IDs of recent events by their sequence number, so that
// findings can name the events that made them. It is lossy on purpose: a window
// holds two numbers an event, and the IDs of old events are forgotten.
//
// The bytes are copied, because an event's strings may be parts of something
// much larger.
type ids struct {
	stripes [idStripes]idStripe
}

const (
	idStripes = 64
	idSlots   = 512
	// maxID is the length of the longest ID that is remembered.
	maxID = 71
	// idText is the number of bytes that are allocated at once for the IDs in
	// findings.
	idText = 4096
)

// Neighbouring sequence numbers are in different stripes, so that goroutines
// seldom meet in one.
type idStripe struct {
	mu    sync.Mutex
	slots []idSlot
	text  strings.Builder
	_     [64]byte
}

type idSlot struct {
	sequence uint64
	size     uint8
	id       [maxID]byte
}

// put remembers the ID of an event. An ID that is empty or too long is none.
func (s *ids) put(sequence uint64, id string) {
	if sequence == 0 {
		return
	}
	if len(id) > maxID {
		id = ""
	}
	stripe := &s.stripes[sequence%idStripes]
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	if stripe.slots == nil {
		stripe.slots = make([]idSlot, idSlots)
	}
	slot := &stripe.slots[sequence/idStripes%idSlots]
	slot.sequence = sequence
	slot.size = uint8(copy(slot.id[:], id))
}

// get returns the ID of the event, or "" if it has none or was forgotten.
func (s *ids) get(sequence uint64) string {
	if sequence == 0 {
		return ""
	}
	stripe := &s.stripes[sequence%idStripes]
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	if stripe.slots == nil {
		return ""
	}
	slot := &stripe.slots[sequence/idStripes%idSlots]
	if slot.sequence != sequence {
		return ""
	}
	// A builder only ever writes behind the text that it has handed out.
	if stripe.text.Cap()-stripe.text.Len() < maxID {
		stripe.text.Reset()
		stripe.text.Grow(idText)
	}
	start := stripe.text.Len()
	stripe.text.Write(slot.id[:slot.size])
	return stripe.text.String()[start:]
}
