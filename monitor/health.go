package monitor

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// selfHealth is what the monitor notices about its own ports.
type selfHealth struct {
	storeFailures atomic.Int64 // in a row
}

func (h *selfHealth) stored(err error) {
	switch {
	case err != nil:
		h.storeFailures.Add(1)
	case h.storeFailures.Load() != 0:
		h.storeFailures.Store(0)
	}
}

// Health tells how the monitor is: its queue, its quarantine, the store, and
// every port that is a [HealthReporter]. The whole is as bad as its worst part.
func (m *Monitor) Health(ctx context.Context) Health {
	q := &m.pipeline.quarantine
	h := Health{Timestamp: time.Now()}
	h.add(fill("queue", len(m.queue.waiting), cap(m.queue.waiting)))
	if q.capacity > 0 {
		c := fill("quarantine", q.depth(), q.capacity)
		if c.Status == HealthOK && q.depth() > 0 {
			c.Status = HealthWarning
		}
		h.add(c)
	}
	if m.config.Alerts != nil {
		s := ComponentHealth{Name: "alerts"}
		if n := m.health.storeFailures.Load(); n > 0 {
			s.Status, s.Message = HealthCritical, fmt.Sprintf("failed %d times in a row", n)
		}
		h.add(s)
	}
	for _, port := range m.ports() {
		if r, ok := port.(HealthReporter); ok {
			h.add(r.Health(ctx))
		}
	}
	return h
}

func (h *Health) add(c ComponentHealth) {
	h.Components = append(h.Components, c)
	h.Status = max(h.Status, c.Status)
}

// fill judges a bounded queue: WARNING from four fifths, CRITICAL when full.
func fill(name string, depth, capacity int) ComponentHealth {
	c := ComponentHealth{Name: name, Message: fmt.Sprintf("%d of %d", depth, capacity)}
	switch {
	case depth >= capacity:
		c.Status = HealthCritical
	case depth*5 >= capacity*4:
		c.Status = HealthWarning
	}
	return c
}
