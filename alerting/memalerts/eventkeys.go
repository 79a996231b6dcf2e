package memalerts

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

const (
	// keptKeys is the number of its latest event keys that a series always has.
	keptKeys = 4096
	// keyBlock is the number of keys for which memory is counted at a time.
	keyBlock = 8
	keySize  = 48 // bytes that a key takes
)

// eventKeys are the keys of the events that the alerts of a series have counted, and
// the alert that has: the latest ones, at least keptKeys and at most twice as many.
// Adding a key does not allocate once there are so many.
type eventKeys struct{ recent, older keyBlocks }

// keyBlocks are keys, and the number of blocks that they have taken so far.
type keyBlocks struct {
	counted map[monitor.EventKey]*record
	blocks  int64
}

// by returns the alert that has counted an event, unless it was closed so long ago
// that the event is not delivered again, or nil.
func (k *eventKeys) by(key monitor.EventKey, now time.Time) *record {
	rec := k.recent.counted[key]
	if rec == nil {
		rec = k.older.counted[key]
	}
	if rec == nil || !rec.remembers(now) {
		return nil
	}
	return rec
}

// add adds a key, and returns how many it had to forget that may be delivered again.
func (k *eventKeys) add(key monitor.EventKey, rec *record, now time.Time) (forgotten int64) {
	if len(k.recent.counted) == keptKeys {
		for _, rec := range k.older.counted {
			if rec.remembers(now) {
				forgotten++
			}
		}
		k.recent, k.older = k.older, k.recent
		clear(k.recent.counted)
	}
	if k.recent.counted == nil {
		k.recent.counted = map[monitor.EventKey]*record{}
	}
	k.recent.counted[key] = rec
	k.recent.blocks = max(k.recent.blocks, int64(len(k.recent.counted)+keyBlock-1)/keyBlock)
	return forgotten
}

// size returns the bytes that the keys take.
func (k *eventKeys) size() int64 { return (k.recent.blocks + k.older.blocks) * keyBlock * keySize }
