package alerting

import (
	"context"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Health returns the health of the outbox, of each route, of the buffered repeats,
// of the claims and, if it is a [monitor.HealthReporter], of the store.
func (m *Manager) Health(ctx context.Context) []monitor.ComponentHealth {
	all := append(m.dispatch.health(), m.repeats.health())
	if m.claims != nil {
		all = append(all, m.claims.health())
	}
	if r, ok := m.store.(monitor.HealthReporter); ok {
		all = append(all, r.Health(ctx)...)
	}
	return all
}

// health returns the result of recent flushes.
func (c *coalescer) health() monitor.ComponentHealth {
	h := c.flushes.Health("repeats")
	if h.Message != "" {
		h.Message = fmt.Sprintf("%d not stored yet, %s", c.size(), h.Message)
	}
	return h
}

// health returns the health of the claims. They are at most a warning, since
// everything works without them.
func (c *claimer) health() monitor.ComponentHealth {
	h := c.calls.Health("claims")
	h.Status = min(h.Status, monitor.HealthWarning)
	return h
}

// health returns the health of the outbox and of each route. They are at most a
// warning, since failures only delay notifications.
func (d *dispatcher) health() []monitor.ComponentHealth {
	h := d.calls.Health("outbox")
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case h.Message != "":
	case d.backlog.Dead > 0:
		h.Message = fmt.Sprintf("%d dead letters", d.backlog.Dead)
	case d.backlog.Waiting > 0 && !d.running && len(d.workers) > 0:
		h.Message = "not running"
	}
	if h.Message != "" {
		h.Status = monitor.HealthWarning
	}
	all := []monitor.ComponentHealth{h}
	for _, w := range d.workers {
		all = append(all, w.health())
	}
	return all
}

// health returns what is wrong with the destinations of the route, or what prevents
// deliveries.
func (w *worker) health() monitor.ComponentHealth {
	recent := w.deliveries.Health(w.component())
	h := monitor.ComponentHealth{Name: recent.Name, LastSuccess: recent.LastSuccess, LastFailure: recent.LastFailure}
	w.destinations.health(&h, time.Now())
	if outbox := w.calls.Health(h.Name); outbox.Message != "" {
		h = outbox
	}
	h.Status = min(h.Status, monitor.HealthWarning)
	return h
}
