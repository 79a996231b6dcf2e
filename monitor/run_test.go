package monitor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// run starts the monitor and returns a function that stops it by canceling
// and returns Run's error.
func run(m *monitor.Monitor) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- m.Run(ctx) }()
	synctest.Wait()
	return func() error {
		cancel()
		return <-result
	}
}

func TestSubmitIsHandledByRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, d := &store{}, &detector{name: "all"}
		m := newMonitor(t, func(c *monitor.Config) { c.Detectors, c.Alerts = []monitor.Detector{d}, s })
		for i := range 100 { // before Run
			if err := m.Submit(t.Context(), newEvent(fmt.Sprint(i), 0)); err != nil {
				t.Fatal(err)
			}
		}
		check.Equal(t, "handled before Run", len(d.events()), 0)
		stop := run(m)
		check.Equal(t, "handled", len(d.events()), 100)
		if err := m.Submit(t.Context(), newEvent("more", 0)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		check.Equal(t, "handled", len(d.events()), 101)
		check.Equal(t, "occurrences", s.list()[0].Occurrences, 101)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"Submit": m.Submit(t.Context(), newEvent("late", 0)),
			"Run":    m.Run(t.Context()),
			"Process": func() error {
				_, err := m.Process(t.Context(), newEvent("late", 0))
				return err
			}(),
			"ProcessBatch": func() error {
				_, err := m.ProcessBatch(t.Context(), deliveries(newEvent("late", 0)))
				return err
			}(),
		} {
			if !errors.Is(err, monitor.ErrClosed) {
				t.Errorf("%s after the end: %v, want ErrClosed", what, err)
			}
		}
		if err := m.Shutdown(t.Context()); err != nil {
			t.Errorf("shutdown after the end: %v", err)
		}
	})
}

func TestSubmitRefusesInvalidEvents(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, nil)
	e := newEvent("e1", 0)
	e.Action = ""
	wantInvalid(t, m.Submit(t.Context(), e), "action")
}

func TestCancelDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &detector{name: "slow", fail: func(*monitor.Event) error {
			advance(time.Second)
			return nil
		}}
		m := newMonitor(t, func(c *monitor.Config) {
			c.Detectors, c.QueueCapacity, c.DrainTimeout = []monitor.Detector{d}, 300, time.Hour
		})
		for i := range 300 {
			if err := m.Submit(t.Context(), newEvent(fmt.Sprint(i), 0)); err != nil {
				t.Fatal(err)
			}
		}
		if err := run(m)(); err != nil {
			t.Fatal(err)
		}
		check.Equal(t, "handled", len(d.events()), 300)
	})
}

func TestQueuePolicies(t *testing.T) {
	t.Parallel()
	fill := func(t *testing.T, policy monitor.QueuePolicy) (*monitor.Monitor, *counters, *detector) {
		t.Helper()
		c, d := &counters{}, &detector{name: "all"}
		m := newMonitor(t, func(c2 *monitor.Config) {
			c2.QueueCapacity, c2.QueuePolicy, c2.Metrics, c2.Detectors = 2, policy, c, []monitor.Detector{d}
		})
		for _, id := range []string{"a", "b"} {
			if err := m.Submit(t.Context(), newEvent(id, 0)); err != nil {
				t.Fatal(err)
			}
		}
		check.Equal(t, "depth", c.get("queue_depth"), 2)
		check.Equal(t, "health", m.Health(t.Context()).Status, monitor.HealthCritical)
		return m, c, d
	}
	t.Run("reject", func(t *testing.T) {
		t.Parallel()
		var byDefault monitor.Config
		m, c, d := fill(t, byDefault.QueuePolicy) // a caller that has not chosen never waits
		if err := m.Submit(t.Context(), newEvent("c", 0)); !errors.Is(err, monitor.ErrOverloaded) {
			t.Errorf("error %v, want ErrOverloaded", err)
		}
		check.Equal(t, "rejected", c.get("events_rejected"), 1)
		if err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		check.Equal(t, "handled", list(d.events()), "[a b]")
	})
	t.Run("drop oldest", func(t *testing.T) {
		t.Parallel()
		m, c, d := fill(t, monitor.QueueDropOldest)
		if err := m.Submit(t.Context(), newEvent("c", 0)); err != nil {
			t.Fatal(err)
		}
		check.Equal(t, "dropped", c.get("events_dropped/drop_oldest"), 1)
		if err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		check.Equal(t, "handled", list(d.events()), "[b c]")
	})
	t.Run("block", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, _, d := fill(t, monitor.QueueBlock)
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := m.Submit(short, newEvent("c", 0)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want the context's", err)
			}
			blocked := make(chan error)
			go func() { blocked <- m.Submit(context.Background(), newEvent("d", 0)) }()
			synctest.Wait()
			stop := run(m)
			if err := <-blocked; err != nil {
				t.Fatal(err)
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "handled", list(d.events()), "[a b d]")
		})
	})
	t.Run("block until closed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, _, d := fill(t, monitor.QueueBlock)
			blocked := make(chan error)
			go func() { blocked <- m.Submit(context.Background(), newEvent("c", 0)) }()
			synctest.Wait()
			done := make(chan error)
			go func() { done <- m.Shutdown(context.Background()) }()
			submitted := <-blocked
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			want := "[a b c]"
			if errors.Is(submitted, monitor.ErrClosed) {
				want = "[a b]"
			}
			check.Equal(t, "handled", list(d.events()), want)
		})
	})
}

func TestSubmittedEventsAreTriedUntilStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, d, c := &store{fail: errDown}, &detector{name: "all"}, &counters{}
		var log bytes.Buffer
		m := newMonitor(t, func(c2 *monitor.Config) {
			c2.Detectors, c2.Alerts, c2.Metrics = []monitor.Detector{d}, s, c
			c2.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		stop := run(m)
		for range 3 { // without an ID: what is remembered is the pass, not the event
			if err := m.Submit(t.Context(), newEvent("", 0)); err != nil {
				t.Fatal(err)
			}
		}
		advance(time.Minute)
		check.Equal(t, "alerts while the store is down", len(s.list()), 0)
		s.setFail(nil)
		advance(6 * time.Second) // longer than the longest wait
		check.Equal(t, "alerts", len(s.list()), 1)
		check.Equal(t, "occurrences", s.list()[0].Occurrences, 3)
		check.Equal(t, "calls of the detector", len(d.events()), 3)
		if c.get("retries") == 0 || !strings.Contains(log.String(), "down") {
			t.Errorf("retries are not visible: %d counted, log %q", c.get("retries"), log.String())
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSubmittedEventThatIsRefusedIsLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := newMonitor(t, func(c *monitor.Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		e := newEvent("e-without", 0)
		e.OrganizationID = ""
		if err := m.Submit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), "e-without") || !strings.Contains(log.String(), "organizationId") {
			t.Errorf("log %q names neither event nor field", log.String())
		}
	})
}

func TestShutdownGivesUpWithTheEvents(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprint("running=", running), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &store{fail: errDown}
				m := newMonitor(t, func(c *monitor.Config) {
					c.Detectors, c.Alerts = []monitor.Detector{&detector{name: "all"}}, s
				})
				result := make(chan error, 1)
				if running {
					go func() { result <- m.Run(context.Background()) }()
					synctest.Wait()
				}
				for i := range 200 {
					if err := m.Submit(t.Context(), newEvent(fmt.Sprint(i), 0)); err != nil {
						t.Fatal(err)
					}
				}
				short, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				err := m.Shutdown(short)
				var unhandled *monitor.UnhandledError
				if !errors.As(err, &unhandled) {
					t.Fatalf("error %v, want an UnhandledError", err)
				}
				check.Equal(t, "events handed back", len(unhandled.Events), 200)
				if running {
					if err := <-result; !errors.As(err, &unhandled) {
						t.Errorf("Run returned %v", err)
					}
				}
			})
		})
	}
}

func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{fail: errDown}
		m := newMonitor(t, func(c *monitor.Config) {
			c.Detectors, c.Alerts, c.DrainTimeout = []monitor.Detector{&detector{name: "all"}}, s, time.Minute
		})
		stop := run(m)
		if err := m.Submit(t.Context(), newEvent("e1", 0)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err := stop()
		var unhandled *monitor.UnhandledError
		if !errors.As(err, &unhandled) || len(unhandled.Events) != 1 {
			t.Fatalf("error %v, want the event back", err)
		}
		check.Equal(t, "time", time.Since(start), time.Minute)
	})
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		up := false
		d, c := &detector{name: "all"}, &counters{}
		m := newMonitor(t, func(c2 *monitor.Config) {
			c2.AllowUnverified = false
			c2.Verifier = monitor.VerifierFunc(func(context.Context, *monitor.Event) monitor.Verification {
				mu.Lock()
				defer mu.Unlock()
				if up {
					return monitor.Verification{Decision: monitor.DecisionAccept, Verdict: monitor.VerdictVerified}
				}
				return monitor.Verification{Decision: monitor.DecisionDefer, Verdict: monitor.VerdictUndecided, Err: errDown}
			})
			c2.Detectors, c2.Metrics = []monitor.Detector{d}, c
			c2.QuarantineCapacity, c2.QuarantineInterval = 3, time.Second
		})
		stop := run(m)
		mine := newEvent("0", 0)
		r := process(t, m, mine)
		check.Equal(t, "state", r.State, monitor.StateQuarantined)
		mine.ID = "changed by its owner"
		process(t, m, newEvent("1", 0))
		process(t, m, newEvent("2", 0))
		if _, err := m.Process(t.Context(), newEvent("3", 0)); !errors.Is(err, monitor.ErrUndecided) {
			t.Errorf("full quarantine: %v, want ErrUndecided", err)
		}
		// Submit waits for room instead.
		submitted := make(chan error, 1)
		go func() { submitted <- m.Submit(context.Background(), newEvent("4", 0)) }()
		advance(time.Minute)
		check.Equal(t, "judged while undecided", len(d.events()), 0)
		check.Equal(t, "depth", c.get("quarantine_depth"), 3)
		if h := m.Health(t.Context()); h.Status != monitor.HealthCritical {
			t.Errorf("health %+v", h)
		}
		mu.Lock()
		up = true
		mu.Unlock()
		advance(10 * time.Second)
		check.NoError(t, "submit", <-submitted)
		check.Equal(t, "judged", len(d.events()), 4)
		check.Equal(t, "first", d.events()[0] == "changed by its owner", false)
		check.Equal(t, "depth", c.get("quarantine_depth"), 0)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestShutdownWaitsForQuarantine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMonitor(t, func(c *monitor.Config) {
			c.AllowUnverified = false
			c.Verifier = verdicts(map[string]monitor.Verification{
				"data.read": {Decision: monitor.DecisionDefer, Verdict: monitor.VerdictUndecided, Err: errDown},
			})
		})
		result := make(chan error, 1)
		go func() { result <- m.Run(context.Background()) }()
		synctest.Wait()
		process(t, m, newEvent("e1", 0))
		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := m.Shutdown(short)
		var unhandled *monitor.UnhandledError
		if !errors.As(err, &unhandled) || len(unhandled.Events) != 1 || unhandled.Events[0].ID != "e1" {
			t.Fatalf("error %v, want the event back", err)
		}
		<-result
	})
}

// port is a store, detector and collector with background work.
type port struct {
	store
	name string
	log  *eventLog
	err  error // returned by Run
	now  bool  // Run returns at once
}

type eventLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *eventLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (p *port) Name() string                                                    { return p.name }
func (p *port) Detect(context.Context, *monitor.Event, *monitor.Reporter) error { return nil }
func (p *port) Record(context.Context, monitor.Measurement)                     {}
func (p *port) Health(context.Context) []monitor.ComponentHealth {
	return []monitor.ComponentHealth{{Name: p.name, Status: monitor.HealthWarning}}
}

func (p *port) Run(ctx context.Context) error {
	if !p.now {
		<-ctx.Done()
	}
	p.log.add("stop " + p.name)
	return p.err
}

func TestPortsRunAndStopInReverse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &eventLog{}
		both := &port{name: "both", log: log} // two ports in one: run once
		m := newMonitor(t, func(c *monitor.Config) {
			c.Metrics = &port{name: "metrics", log: log, err: errDown}
			c.Detectors = []monitor.Detector{both, &port{name: "detector", log: log}}
			c.Alerts = both
		})
		h := m.Health(t.Context())
		check.Equal(t, "health", h.Status, monitor.HealthWarning)
		err := run(m)()
		if !errors.Is(err, errDown) {
			t.Errorf("error %v, want that of the flush", err)
		}
		check.Equal(t, "order", strings.Join(log.lines, ", "), "stop detector, stop both, stop metrics")
		if err := m.Shutdown(t.Context()); !errors.Is(err, errDown) {
			t.Errorf("Shutdown after a failed flush: %v", err)
		}
	})
}

func TestShutdownWithoutRunFlushesPorts(t *testing.T) {
	t.Parallel()
	log := &eventLog{}
	m := newMonitor(t, func(c *monitor.Config) {
		c.Metrics = &port{name: "metrics", log: log}
		c.Alerts = &port{name: "alerts", log: log}
	})
	if err := m.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	check.Equal(t, "order", strings.Join(log.lines, ", "), "stop alerts, stop metrics")
}

func TestPortThatEndsStopsRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &detector{name: "all"}
		m := newMonitor(t, func(c *monitor.Config) {
			c.Metrics = &port{name: "metrics", log: &eventLog{}, now: true}
			c.Detectors = []monitor.Detector{d}
		})
		if err := m.Submit(t.Context(), newEvent("e1", 0)); err != nil {
			t.Fatal(err)
		}
		err := m.Run(context.Background())
		if err == nil || !strings.Contains(err.Error(), "returned before it was stopped") {
			t.Errorf("error %v", err)
		}
		check.Equal(t, "accepted events handled", len(d.events()), 1)
	})
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := &store{}
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors, c.Alerts = []monitor.Detector{&detector{name: "all"}}, s
		c.Workers, c.Metrics = 4, &counters{}
	})
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- m.Run(ctx) }()
	const goroutines, each = 8, 200
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				e := newEvent(fmt.Sprint(g, "-", i), time.Duration(i)*time.Millisecond)
				e.OrganizationID = fmt.Sprint("org-", i%5)
				switch i % 3 {
				case 0:
					if _, err := m.Process(ctx, e); err != nil {
						t.Error(err)
					}
				case 1:
					if _, err := m.ProcessBatch(ctx, deliveries(e)); err != nil {
						t.Error(err)
					}
				default:
					if err := m.Submit(ctx, e); err != nil {
						t.Error(err)
					}
				}
				m.Health(ctx)
			}
		})
	}
	wg.Wait()
	cancel()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	var occurrences int64
	for _, a := range s.list() {
		occurrences += a.Occurrences
	}
	check.Equal(t, "alerts", len(s.list()), 5)
	check.Equal(t, "occurrences", occurrences, goroutines*each)
}

// valued is a port that can be compared by its type, and not by what it holds.
type valued struct{ held any }

func (valued) Record(context.Context, monitor.Measurement) {}

func (valued) Verify(context.Context, *monitor.Event) monitor.Verification {
	return monitor.Verification{}
}

func TestPortsNeedNotBeComparable(t *testing.T) {
	t.Parallel()
	for _, held := range []any{func() {}, []int{1}, valued{held: func() {}}, 1} {
		m := newMonitor(t, func(c *monitor.Config) {
			c.AllowUnverified, c.Verifier, c.Metrics = false, valued{held}, valued{held}
		})
		m.Health(t.Context())
		check.NoError(t, "flush", m.Flush(t.Context()))
		check.NoError(t, "shutdown", m.Shutdown(t.Context()))
	}
}

// TestShutdownHandsBackWhatWaits cuts off a monitor whose detector then answers:
// every event was either judged or is handed back.
func TestShutdownHandsBackWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &patient{}
		m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{d} })
		result := make(chan error, 1)
		go func() { result <- m.Run(context.Background()) }()
		const events = 200
		for i := range events {
			check.NoError(t, "submit", m.Submit(t.Context(), newEvent(fmt.Sprint(i), 0)))
		}
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		unhandled := check.ErrorAs[*monitor.UnhandledError](t, "shutdown", m.Shutdown(short))
		<-result
		check.Equal(t, "events judged or handed back", int(d.judged.Load())+len(unhandled.Events), events)
	})
}

// patient is a detector that answers when the call is canceled.
type patient struct{ judged atomic.Int64 }

func (*patient) Name() string { return "patient" }

func (p *patient) Detect(ctx context.Context, _ *monitor.Event, _ *monitor.Reporter) error {
	<-ctx.Done()
	p.judged.Add(1)
	return nil
}

// TestDrain waits until what was submitted is handled, although some of it fails for
// now and some of it waits for room.
func TestDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		d := &detector{name: "all", fail: func(e *monitor.Event) error {
			advance(time.Second)
			if e.ID == "fails" {
				return errDown
			}
			return nil
		}}
		m := newMonitor(t, func(c *monitor.Config) {
			c.QueueCapacity, c.Workers, c.Alerts, c.Detectors = 4, 2, s, []monitor.Detector{d}
		})
		check.NoError(t, "drain an empty queue", m.Drain(t.Context()))
		check.NoError(t, "submit", m.Submit(t.Context(), newEvent("early", 0)))
		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		check.ErrorIs(t, "drain while nothing runs", m.Drain(short), context.DeadlineExceeded)
		stop := run(m)
		for _, id := range []string{"a", "fails", "b", "c", "d", "e", "f"} {
			go func() { check.NoError(t, "submit", m.Submit(context.Background(), newEvent(id, 0))) }()
		}
		synctest.Wait()
		check.NoError(t, "drain", m.Drain(t.Context()))
		got := d.events()
		slices.Sort(got)
		check.Equal(t, "handled", list(got), "[a b c d e early f]")
		check.Equal(t, "stands aside", component(t, m, "quarantine").Status, monitor.HealthWarning)
		stopped := stop()
		check.Equal(t, "left over", errors.As(stopped, new(*monitor.UnhandledError)), true)
	})
}
