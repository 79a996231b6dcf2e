package monitor

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Health returns the health of the monitor's queue, quarantine, background work
// and store, and of every port that is a [HealthReporter]. The overall status is
// that of the worst component. The names of the components are unique.
func (m *Monitor) Health(ctx context.Context) Health {
	h := Health{Timestamp: time.Now()}
	waiting, places := m.queue.depth()
	h.add("monitor", fill("queue", places, m.config.QueueCapacity))
	if m.pipeline.quarantine.capacity > 0 {
		h.add("monitor", m.quarantined(h.Timestamp))
	}
	run := ComponentHealth{Name: "run"}
	if !m.running.active() {
		run.Message = "not running"
		if waiting > 0 || len(m.runners()) > 0 {
			run.Status = HealthWarning
		}
	}
	h.add("monitor", run)
	if m.config.Alerts != nil {
		h.add("monitor", m.health.Health("alerts"))
	}
	for _, p := range m.ports() {
		if r, ok := p.port.(HealthReporter); ok {
			for _, c := range m.healthOf(ctx, p.name, r) {
				h.add(p.name, c)
			}
		}
	}
	return h
}

// healthOf returns the health of a port. One that panics is critical.
func (m *Monitor) healthOf(ctx context.Context, name string, r HealthReporter) (components []ComponentHealth) {
	defer func() {
		if v := recover(); v != nil {
			m.pipeline.metrics.count(ctx, Errors, "panic")
			m.pipeline.metrics.panics.note(ctx, name+" health", v)
			components = []ComponentHealth{{Name: name, Status: HealthCritical, Message: fmt.Sprintf("health panicked: %v", v)}}
		}
	}()
	return r.Health(ctx)
}

// quarantined judges what stands aside.
func (m *Monitor) quarantined(now time.Time) ComponentHealth {
	q := &m.pipeline.quarantine
	undecided, failed := q.state()
	c := fill("quarantine", max(undecided.places, failed.places), q.capacity)
	if undecided.events+failed.events == 0 {
		return c
	}
	c.Status = max(c.Status, HealthWarning)
	c.Since = undecided.since
	if c.Since.IsZero() || !failed.since.IsZero() && failed.since.Before(c.Since) {
		c.Since = failed.since
	}
	c.Message = fmt.Sprintf("%d not verified, %d failed, the oldest waits for %s",
		undecided.events, failed.events, now.Sub(c.Since).Round(time.Second))
	return c
}

// add adds a component of a port. If its name is taken, the port's name comes
// before it.
func (h *Health) add(port string, c ComponentHealth) {
	name, full := c.Name, port+"/"+c.Name
	for n := 2; slices.ContainsFunc(h.Components, func(o ComponentHealth) bool { return o.Name == name }); n++ {
		name = full
		full = fmt.Sprintf("%s/%s/%d", port, c.Name, n)
	}
	c.Name = name
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
