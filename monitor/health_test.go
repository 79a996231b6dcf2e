package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// component returns the health of one component of a monitor.
func component(t *testing.T, m *monitor.Monitor, name string) monitor.ComponentHealth {
	t.Helper()
	for _, c := range m.Health(t.Context()).Components {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no component is named %q", name)
	return monitor.ComponentHealth{}
}

func TestHealthTracker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		at := func(minute int) time.Time { return begin.Add(time.Duration(minute) * time.Minute) }
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		expired, cancelExpired := context.WithTimeout(t.Context(), 0)
		defer cancelExpired()
		var tracker monitor.HealthTracker
		check.Equal(t, "not called", tracker.Health("redis"), monitor.ComponentHealth{Name: "redis"})
		for i, c := range []struct {
			ctx  context.Context
			err  error
			want monitor.ComponentHealth
		}{
			{t.Context(), errDown, monitor.ComponentHealth{
				Status: monitor.HealthWarning, Message: "never connected, failed: down",
				LastFailure: at(1), Since: at(1),
			}},
			{expired, errDown, monitor.ComponentHealth{
				Status: monitor.HealthWarning, Message: "never connected, failed 2 times in a row: down",
				LastFailure: at(2), Since: at(1),
			}},
			{canceled, errDown, monitor.ComponentHealth{
				Status: monitor.HealthWarning, Message: "never connected, failed 2 times in a row: down",
				LastFailure: at(2), Since: at(1),
			}},
			{t.Context(), errDown, monitor.ComponentHealth{
				Status: monitor.HealthCritical, Message: "never connected, failed 3 times in a row: down",
				LastFailure: at(4), Since: at(1),
			}},
			{canceled, nil, monitor.ComponentHealth{LastSuccess: at(5), LastFailure: at(4)}},
			{t.Context(), errDown, monitor.ComponentHealth{
				Status: monitor.HealthWarning, Message: "failed: down",
				LastSuccess: at(5), LastFailure: at(6), Since: at(6),
			}},
		} {
			advance(time.Minute)
			tracker.Note(c.ctx, c.err)
			c.want.Name = "redis"
			check.Equal(t, list("call ", i), tracker.Health("redis"), c.want)
			failed := c.want.Status != monitor.HealthOK
			check.Equal(t, list("error after call ", i), errors.Is(tracker.Err(), errDown), failed)
		}
	})
}

func TestHealthOfTheStore(t *testing.T) {
	t.Parallel()
	s := &store{fail: errDown}
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors, c.Alerts = []monitor.Detector{&detector{name: "all"}}, s
	})
	for _, want := range []monitor.HealthStatus{monitor.HealthWarning, monitor.HealthWarning, monitor.HealthCritical} {
		if _, err := m.Process(t.Context(), newEvent("e1", 0)); !errors.Is(err, errDown) {
			t.Fatalf("error %v, want the store's", err)
		}
		check.Equal(t, "status", component(t, m, "alerts").Status, want)
	}
	s.setFail(nil)
	process(t, m, newEvent("e1", 0))
	c := component(t, m, "alerts")
	check.Equal(t, "status", c.Status, monitor.HealthOK)
	check.Equal(t, "message", c.Message, "")
}

func TestHealthSaysThatRunIsNotActive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		status := func(m *monitor.Monitor) string {
			c := component(t, m, "run")
			return strings.TrimSpace(c.Status.String() + " " + c.Message)
		}
		m := newMonitor(t, nil)
		check.Equal(t, "nothing to do", status(m), "OK not running")
		if err := m.Submit(t.Context(), newEvent("e1", 0)); err != nil {
			t.Fatal(err)
		}
		check.Equal(t, "an event waits", status(m), "WARNING not running")
		stop := run(m)
		synctest.Wait()
		check.Equal(t, "running", status(m), "OK")
		check.NoError(t, "Run", stop())

		m = newMonitor(t, func(c *monitor.Config) { c.Metrics = &port{name: "metrics", log: &eventLog{}} })
		check.Equal(t, "a port waits", status(m), "WARNING not running")
		stop = run(m)
		synctest.Wait()
		check.Equal(t, "running", status(m), "OK")
		check.NoError(t, "Run", stop())
		check.Equal(t, "at the end", status(m), "WARNING not running")
	})
}

func TestComponentsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	redis := func() *port { return &port{name: "redis", log: &eventLog{}} }
	m := newMonitor(t, func(c *monitor.Config) {
		c.Metrics = twice{redis(), redis()}
		c.Detectors = []monitor.Detector{redis()}
		c.Alerts = &port{name: "queue", log: &eventLog{}}
	})
	var names []string
	for _, c := range m.Health(t.Context()).Components {
		names = append(names, c.Name)
	}
	check.Equal(t, "components", strings.Join(names, ", "),
		"queue, quarantine, run, alerts, redis, metrics/redis, redis/redis, alerts/queue")
}

// twice is a port of two, which report under one name.
type twice struct {
	*port
	other *port
}

func (p twice) Health(ctx context.Context) []monitor.ComponentHealth {
	return append(p.port.Health(ctx), p.other.Health(ctx)...)
}

func TestHealthJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 13, 9, 30, 0, 0, time.UTC)
	got, err := json.Marshal(monitor.Health{
		Status:    monitor.HealthWarning,
		Timestamp: at,
		Components: []monitor.ComponentHealth{
			{Name: "queue", Message: "0 of 5"},
			{Name: "alerts", Status: monitor.HealthWarning, LastSuccess: at, LastFailure: at, Since: at},
		},
	})
	check.NoError(t, "Marshal", err)
	check.Equal(t, "JSON", string(got), `{"status":"WARNING","components":[`+
		`{"name":"queue","status":"OK","message":"0 of 5"},`+
		`{"name":"alerts","status":"WARNING","lastSuccess":"2026-03-13T09:30:00Z","lastFailure":"2026-03-13T09:30:00Z","since":"2026-03-13T09:30:00Z"}`+
		`],"timestamp":"2026-03-13T09:30:00Z"}`)
}

// TestHealthInJSON has a probe read what a service says of its health.
func TestHealthInJSON(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) { c.QueueCapacity = 1 })
	check.NoError(t, "submit", m.Submit(t.Context(), newEvent("e1", 0)))
	text, err := json.Marshal(m.Health(t.Context()))
	check.NoError(t, "marshal", err)
	var got monitor.Health
	check.NoError(t, "unmarshal", json.Unmarshal(text, &got))
	check.Equal(t, "status", got.Status, monitor.HealthCritical)
	check.Equal(t, "message", got.Components[0].Message, "1 of 1")
	if err := json.Unmarshal([]byte(`{"status":"FINE"}`), &got); err == nil || !strings.Contains(err.Error(), `unknown health status "FINE"`) {
		t.Errorf("error %v", err)
	}
}
