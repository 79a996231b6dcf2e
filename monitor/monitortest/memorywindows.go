package monitortest

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/auditwarden/auditwarden/monitor/detect"
)

// MemoryWindows are [detect.Windows] in memory, for tests of engines that share
// them. The zero value is empty. It is safe for concurrent use.
type MemoryWindows struct {
	// Fail is asked after each exchange, if it is set; the exchange returns its
	// error.
	Fail func() error

	mu   sync.Mutex
	byID map[string]*memoryWindow
}

type memoryWindow struct {
	events []detect.WindowEvent
	lost   int64
}

// Exchange implements [detect.Windows].
func (m *MemoryWindows) Exchange(_ context.Context, windows []*detect.Window) ([]*detect.Window, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID = map[string]*memoryWindow{}
	}
	for _, w := range windows {
		held := m.byID[w.ID]
		if held == nil {
			held = &memoryWindow{lost: math.MinInt64}
			m.byID[w.ID] = held
		}
		held.exchange(w)
	}
	if m.Fail != nil {
		return nil, m.Fail()
	}
	return nil, nil
}

func (m *memoryWindow) exchange(w *detect.Window) {
	m.events = slices.DeleteFunc(m.events, func(e detect.WindowEvent) bool { return e.Timestamp <= w.Horizon })
	w.Held, w.Lost = slices.Clone(m.events), m.lost
	for i := range w.New {
		e := &w.New[i]
		if slices.ContainsFunc(m.events, func(held detect.WindowEvent) bool { return held.Key == e.Key }) {
			continue
		}
		place := len(m.events)
		for place > 0 && m.events[place-1].Timestamp > e.Timestamp {
			place--
		}
		m.events = slices.Insert(m.events, place, *e)
	}
	if excess := len(m.events) - w.Limit; excess > 0 {
		w.Cut = excess
		m.lost = max(m.lost, m.events[excess-1].Timestamp)
		m.events = slices.Delete(m.events, 0, excess)
	}
}
