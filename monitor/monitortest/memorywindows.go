package monitortest

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/auditwarden/auditwarden/monitor/detect"
)

// MemoryWindows is an in-memory [detect.Windows], for tests of engines that share
// windows. The zero value is empty. It is safe for concurrent use.
type MemoryWindows struct {
	// Fail, if it is set, makes every exchange store the events and then return the
	// error of Fail, which must not be nil, in place of the answers.
	Fail func() error

	mu   sync.Mutex
	byID map[string]*memoryWindow
}

type memoryWindow struct {
	events []detect.WindowEvent
	lost   int64
}

// Exchange implements [detect.Windows].
func (m *MemoryWindows) Exchange(_ context.Context, requests []*detect.WindowRequest) ([]detect.WindowAnswer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID = map[string]*memoryWindow{}
	}
	var answers []detect.WindowAnswer
	for _, q := range requests {
		w := m.byID[q.ID]
		if w == nil {
			w = &memoryWindow{lost: math.MinInt64}
			m.byID[q.ID] = w
		}
		answers = append(answers, w.exchange(q))
	}
	if m.Fail != nil {
		return nil, m.Fail()
	}
	return answers, nil
}

func (m *memoryWindow) exchange(q *detect.WindowRequest) detect.WindowAnswer {
	m.events = slices.DeleteFunc(m.events, func(e detect.WindowEvent) bool { return e.Timestamp <= q.Horizon })
	a := detect.WindowAnswer{Request: q, Held: slices.Clone(m.events), Lost: m.lost}
	for i := range q.Events {
		e := q.Events[i].WindowEvent
		if slices.ContainsFunc(m.events, func(held detect.WindowEvent) bool { return held.Key == e.Key }) {
			continue
		}
		place := len(m.events)
		for place > 0 && m.events[place-1].Timestamp > e.Timestamp {
			place--
		}
		m.events = slices.Insert(m.events, place, e)
	}
	if excess := len(m.events) - q.Limit; excess > 0 {
		a.Cut = excess
		m.lost = max(m.lost, m.events[excess-1].Timestamp)
		m.events = slices.Delete(m.events, 0, excess)
	}
	return a
}
