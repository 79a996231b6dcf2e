package monitor_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// faulty is a collector, a tracer and a reporter of health that panics.
type faulty struct{}

func (*faulty) Record(context.Context, monitor.Measurement) { panic("record") }

func (*faulty) TraceProcessStart(context.Context, monitor.TraceProcessStart) context.Context {
	panic("start")
}

func (*faulty) TraceStoreStart(context.Context, monitor.TraceStoreStart) context.Context {
	panic("store")
}
func (*faulty) TraceProcessEnd(context.Context, monitor.TraceProcessEnd) { panic("end") }
func (*faulty) Health(context.Context) []monitor.ComponentHealth         { panic("health") }

// forgetful is a tracer that returns no context.
type forgetful struct{ tracer }

func (*forgetful) TraceProcessStart(context.Context, monitor.TraceProcessStart) context.Context {
	var none context.Context
	return none
}

// TestPanicsOfBystanders has ports panic whose answer nobody needs. Events are
// handled as ever, each once, and the panics are logged.
func TestPanicsOfBystanders(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *monitor.Config){
		"metrics":   func(c *monitor.Config) { c.Metrics = &faulty{} },
		"tracer":    func(c *monitor.Config) { c.Tracer = &faulty{} },
		"forgetful": func(c *monitor.Config) { c.Tracer = &forgetful{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d, s := &detector{name: "all"}, &store{}
				var log bytes.Buffer
				m := newMonitor(t, func(c *monitor.Config) {
					c.Detectors, c.Alerts, c.Logger = []monitor.Detector{d}, s, slog.New(slog.NewTextHandler(&log, nil))
					c.QueueCapacity, c.QueuePolicy = 50, monitor.QueueDropOldest
					change(c)
				})
				submit(t, m, newEvent("dropped", 0))
				for n := range 50 {
					submit(t, m, eventOf("ann", n))
				}
				stop := run(m)
				r := process(t, m, newEvent("e", 0))
				check.Equal(t, "state", r.State, monitor.StateDone)
				check.Equal(t, "stored", r.Dispositions[0].Stored, monitor.StoredNew)
				results, err := m.ProcessBatch(t.Context(), deliveries(newEvent("f", 0), newEvent("g", 0)))
				check.NoError(t, "batch", err)
				check.Equal(t, "batch", results[1].State, monitor.StateDone)
				advance(10 * time.Second)
				check.NoError(t, "stop", stop())
				wantHandled(t, d, "ann", numbers(0, 50)...)
				check.Equal(t, "occurrences", occurrences(s), 53)
				if name == "forgetful" {
					return
				}
				if lines := strings.Count(log.String(), "port panicked"); lines != 1 || !strings.Contains(log.String(), "port="+name) {
					t.Errorf("%d records of panics in a minute: %s", lines, log.String())
				}
			})
		})
	}
}

func TestPanicOfTheTracerIsCounted(t *testing.T) {
	t.Parallel()
	c := &counters{}
	m := newMonitor(t, func(cfg *monitor.Config) { cfg.Metrics, cfg.Tracer = c, &faulty{} })
	process(t, m, newEvent("e", 0))
	check.Equal(t, "panics", c.get("errors/panic"), 2)
}

func TestPanicOfHealth(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) { c.Tracer = &faulty{} })
	c := component(t, m, "tracer")
	check.Equal(t, "status", c.Status, monitor.HealthCritical)
	check.Equal(t, "message", c.Message, "health panicked: health")
}
