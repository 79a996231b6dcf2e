package memalerts

import "github.com/auditwarden/auditwarden/monitor"

// generation is the number of event keys that an alert knows for sure.
const generation = 1024

// A keyMemory remembers the event keys that an alert counted: at least the last
// generation of them, at most two, without allocating once it is full.
type keyMemory struct{ recent, older map[monitor.EventKey]struct{} }

func (m *keyMemory) contains(k monitor.EventKey) bool {
	if _, known := m.recent[k]; known {
		return true
	}
	_, known := m.older[k]
	return known
}

func (m *keyMemory) add(k monitor.EventKey) {
	if len(m.recent) == generation {
		m.recent, m.older = m.older, m.recent
		clear(m.recent)
	}
	if m.recent == nil {
		m.recent = map[monitor.EventKey]struct{}{}
	}
	m.recent[k] = struct{}{}
}
