package detect

import (
	"strings"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// keyMark begins what is remembered of an event that has no ID, or one that is too
// long to be kept: its key. No ID begins so, as it is no UTF-8.
const keyMark = "\xff"

// remember remembers what identifies an event wherever it comes again.
func remember(ids *window.IDs, e *monitor.Event, a *monitor.Arrival) {
	key := a.DeliveryKey
	switch {
	case e.ID != "" && len(e.ID) <= window.MaxID:
		ids.Put(a.Sequence, e.ID)
		return
	case e.ID != "":
		key = monitor.EventKeyOf(a.OrganizationID, e.ID)
	case key == monitor.EventKey{}:
		return
	}
	var text [len(keyMark) + len(key)]byte
	copy(text[copy(text[:], keyMark):], key[:])
	ids.Put(a.Sequence, string(text[:]))
}

// remembered are the identities of events of this engine.
type remembered struct{ ids *window.IDs }

func (r remembered) identify(sequence uint64) (id string, key monitor.EventKey) {
	text := r.ids.Get(sequence)
	if bytes, ok := strings.CutPrefix(text, keyMark); ok && len(bytes) == len(key) {
		copy(key[:], bytes)
		return "", key
	}
	return text, key
}
