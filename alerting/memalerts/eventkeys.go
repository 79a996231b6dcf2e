package memalerts

import "github.com/auditwarden/auditwarden/monitor"

// generation is the number of its latest event keys that an alert always has.
const generation = 1024

// eventKeys are the keys of the events that an alert has counted: the latest ones, at
// least one generation and at most two. Adding a key does not allocate once both
// generations are full.
type eventKeys struct{ recent, older map[monitor.EventKey]struct{} }

func (k *eventKeys) contains(key monitor.EventKey) bool {
	if _, known := k.recent[key]; known {
		return true
	}
	_, known := k.older[key]
	return known
}

func (k *eventKeys) add(key monitor.EventKey) {
	if len(k.recent) == generation {
		k.recent, k.older = k.older, k.recent
		clear(k.recent)
	}
	if k.recent == nil {
		k.recent = map[monitor.EventKey]struct{}{}
	}
	k.recent[key] = struct{}{}
}
