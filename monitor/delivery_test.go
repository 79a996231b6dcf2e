package monitor_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestNothingToProcess(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) { c.Metrics = &counters{} })
	for name, ds := range map[string][]monitor.Delivery{"nil": nil, "empty": {}} {
		results, err := m.ProcessBatch(t.Context(), ds)
		check.NoError(t, name, err)
		check.Equal(t, name, len(results), 0)
	}
	check.NoError(t, "flush", m.Flush(t.Context()))
}

func TestNoEvent(t *testing.T) {
	t.Parallel()
	d, tr := &detector{name: "all"}, &tracer{}
	m := newMonitor(t, func(c *monitor.Config) { c.Detectors, c.Tracer = []monitor.Detector{d}, tr })
	r, err := m.Process(t.Context(), nil)
	wantInvalid(t, err, "")
	check.Equal(t, "state", r.State, monitor.StateRejected)
	wantInvalid(t, m.Submit(t.Context(), nil), "")

	results, err := m.ProcessBatch(t.Context(), deliveries(newEvent("a", 0), nil, newEvent("b", 0)))
	wantInvalid(t, err, "")
	check.Equal(t, "the others", list(d.events()), "[a b]")
	check.Equal(t, "state", results[1].State, monitor.StateRejected)
	check.Equal(t, "state", results[2].State, monitor.StateDone)
}

func TestNoContext(t *testing.T) {
	t.Parallel()
	seen := 0
	m := newMonitor(t, func(c *monitor.Config) {
		c.AllowUnverified = false
		c.Verifier = monitor.VerifierFunc(func(ctx context.Context, _ *monitor.Event) monitor.Verification {
			check.Equal(t, "value", ctx.Value(spanKey{}), any(nil))
			seen++
			return monitor.Verification{}
		})
	})
	var none context.Context
	_, err := m.Process(none, newEvent("a", 0))
	check.NoError(t, "process", err)
	_, err = m.ProcessBatch(none, deliveries(newEvent("b", 0), newEvent("c", 0)))
	check.NoError(t, "batch", err)
	check.NoError(t, "submit", m.Submit(none, newEvent("d", 0)))
	check.NoError(t, "flush", m.Flush(none))
	check.NoError(t, "shutdown", m.Shutdown(t.Context()))
	check.Equal(t, "verified", seen, 4)
}

// TestStates has an event end in every state.
func TestStates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		m := newMonitor(t, func(c *monitor.Config) {
			c.AllowUnverified = false
			c.Verifier = verdicts(map[string]monitor.Verification{
				"forged":    {Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged},
				"undecided": {Decision: monitor.DecisionDefer, Verdict: monitor.VerdictUndecided, Err: errDown},
			})
			c.Detectors = []monitor.Detector{&detector{name: "all", fail: func(e *monitor.Event) error {
				switch e.Action {
				case "panic":
					panic("boom")
				case "fail":
					return errDown
				}
				return nil
			}}}
			c.Alerts, c.QuarantineCapacity = s, 1
		})
		want := func(action string, state monitor.ResultState, failed bool) {
			t.Helper()
			e := newEvent("", 0)
			e.Action = action
			r, err := m.Process(t.Context(), e)
			check.Equal(t, action, r.State, state)
			check.Equal(t, action+": error", err != nil, failed)
		}
		want("data.read", monitor.StateDone, false)
		want("forged", monitor.StateDone, false)
		want("panic", monitor.StateDone, true)
		want("", monitor.StateRejected, true)
		want("fail", monitor.StateRetry, true)
		want("undecided", monitor.StateRetry, true) // nobody would try it again

		stop := run(m)
		want("undecided", monitor.StateQuarantined, false)
		want("undecided", monitor.StateRetry, true) // there is no room
		s.setFail(errDown)
		want("data.read", monitor.StateRetry, true)
		s.setFail(nil)
		if err := stop(); err == nil {
			t.Error("the undecided event was not handed back")
		}
		want("data.read", monitor.StateRetry, true) // by another monitor
		results, err := m.ProcessBatch(t.Context(), deliveries(newEvent("a", 0), newEvent("b", 0)))
		check.Equal(t, "closed", errors.Is(err, monitor.ErrClosed), true)
		check.Equal(t, "closed", results[1].State, monitor.StateRetry)
	})
}

// TestDeliveryID has an event without an ID known by its delivery.
func TestDeliveryID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, d := &store{}, &detector{name: "all"}
		change := func(c *monitor.Config) { c.Detectors, c.Alerts = []monitor.Detector{d}, s }
		here, there := newMonitor(t, change), newMonitor(t, change)
		process := func(m *monitor.Monitor, delivery string) monitor.Result {
			t.Helper()
			results, err := m.ProcessBatch(t.Context(), []monitor.Delivery{{Event: newEvent("", 0), ID: delivery}})
			check.NoError(t, delivery, err)
			return results[0]
		}
		check.Equal(t, "first", process(here, "1").Dispositions[0].Stored, monitor.StoredNew)
		check.Equal(t, "again", process(here, "1").Duplicate, monitor.DuplicateRedelivered)
		advance(time.Hour) // a queue may take its time, that is no replay
		check.Equal(t, "much later", process(here, "1").Duplicate, monitor.DuplicateRedelivered)
		check.Equal(t, "elsewhere", process(there, "1").Dispositions[0].Stored, monitor.StoredBefore)
		check.Equal(t, "another", process(there, "2").Dispositions[0].Stored, monitor.StoredRepeat)
		check.Equal(t, "occurrences", s.list()[0].Occurrences, 2)
		check.Equal(t, "calls of the detector", len(d.events()), 3)
	})
}

// TestForgedDeliveryCountsOnce has the occurrence of a failed event known by its
// delivery, since nothing in the event can be believed.
func TestForgedDeliveryCountsOnce(t *testing.T) {
	t.Parallel()
	s := &store{}
	m := newMonitor(t, func(c *monitor.Config) {
		c.AllowUnverified = false
		c.Verifier = verdicts(map[string]monitor.Verification{
			"data.read": {Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged},
		})
		c.Alerts = s
	})
	for _, delivery := range []string{"1", "1", "2"} {
		_, err := m.ProcessBatch(t.Context(), []monitor.Delivery{{Event: newEvent("a", 0), ID: delivery}})
		check.NoError(t, delivery, err)
	}
	check.Equal(t, "occurrences", s.list()[0].Occurrences, 2)
}

func TestAttemptIsNoReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMonitor(t, nil)
		process := func(attempt int) monitor.Duplicate {
			t.Helper()
			results, err := m.ProcessBatch(t.Context(), []monitor.Delivery{{Event: newEvent("a", 0), ID: "1", Attempt: attempt}})
			check.NoError(t, "process", err)
			return results[0].Duplicate
		}
		check.Equal(t, "first", process(1), monitor.DuplicateNone)
		advance(time.Hour)
		check.Equal(t, "delivered again", process(2), monitor.DuplicateRedelivered)
		check.Equal(t, "sent again", process(1), monitor.DuplicateReplayed)
		check.Equal(t, "unknown", process(0), monitor.DuplicateReplayed)
	})
}

// contexts notes the value under spanKey that every port is called with.
type contexts struct {
	store
	batchDetector
	verifier, single, batch, stored []any
	ended                           error // of the context of the store
}

func (c *contexts) Verify(ctx context.Context, _ *monitor.Event) monitor.Verification {
	c.verifier = append(c.verifier, ctx.Value(spanKey{}))
	return monitor.Verification{}
}

func (c *contexts) Name() string { return "contexts" }

func (c *contexts) Detect(ctx context.Context, e *monitor.Event, r *monitor.Reporter) error {
	c.single = append(c.single, ctx.Value(spanKey{}))
	return c.detector.Detect(ctx, e, r)
}

func (c *contexts) DetectBatch(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	c.batch = append(c.batch, ctx.Value(spanKey{}))
	return c.batchDetector.DetectBatch(ctx, es, rs)
}

func (c *contexts) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	c.stored = append(c.stored, ctx.Value(spanKey{}))
	c.ended = ctx.Err()
	return c.store.StoreOccurrences(ctx, os)
}

func TestContextsReachThePorts(t *testing.T) {
	t.Parallel()
	with := func(value string) context.Context { return context.WithValue(context.Background(), spanKey{}, value) }
	start := func() (*monitor.Monitor, *contexts) {
		c := &contexts{}
		return newMonitor(t, func(cfg *monitor.Config) {
			cfg.AllowUnverified, cfg.Verifier = false, c
			cfg.Detectors, cfg.Alerts = []monitor.Detector{c}, c
		}), c
	}

	m, c := start()
	_, err := m.Process(with("call"), newEvent("a", 0))
	check.NoError(t, "process", err)
	check.Equal(t, "one event", list(c.verifier, c.single, c.stored), "[call] [call] [call]")

	// The only event of a batch brings its own values, and the call its end.
	m, c = start()
	over, cancel := context.WithCancel(with("call"))
	cancel()
	_, err = m.ProcessBatch(over, []monitor.Delivery{{Event: newEvent("a", 0), Context: with("own")}})
	check.NoError(t, "batch of one", err)
	check.Equal(t, "batch of one", list(c.verifier, c.single, c.stored), "[own] [own] [own]")
	check.ErrorIs(t, "end of the call", c.ended, context.Canceled)

	m, c = start()
	ended, cancel := context.WithCancel(with("own"))
	cancel()
	_, err = m.ProcessBatch(with("call"), []monitor.Delivery{
		{Event: newEvent("a", 0), Context: ended}, {Event: newEvent("b", 0)},
	})
	check.NoError(t, "batch", err)
	check.Equal(t, "batch", list(c.verifier, c.batch, c.stored), "[own call] [call] [call]")
	check.NoError(t, "end of the call", c.ended)

	m, c = start()
	check.NoError(t, "submit", m.Submit(with("submitted"), newEvent("a", 0)))
	check.NoError(t, "shutdown", m.Shutdown(context.Background()))
	check.Equal(t, "submitted", list(c.verifier, c.single, c.stored), "[submitted] [submitted] [submitted]")
}

// flusher is a port that holds something back.
type flusher struct {
	store
	port
	flushed int
	fail    error
}

func (f *flusher) Flush(context.Context) error {
	f.flushed++
	return f.fail
}

func (f *flusher) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	return f.store.StoreOccurrences(ctx, os)
}

func TestFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flusher{port: port{name: "port"}}
		m := newMonitor(t, func(c *monitor.Config) {
			c.AllowUnverified = false
			c.Verifier = verdicts(map[string]monitor.Verification{
				"data.read": {Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged},
			})
			c.Alerts, c.Detectors, c.IntegrityAlertRate = f, []monitor.Detector{f}, 1
		})
		for range 10 {
			process(t, m, newEvent("", 0))
		}
		f.store.setFail(errDown)
		check.Equal(t, "store down", errors.Is(m.Flush(t.Context()), errDown), true)
		check.Equal(t, "ports flushed all the same", f.flushed, 1)
		f.store.setFail(nil)
		check.NoError(t, "flush", m.Flush(t.Context()))
		check.Equal(t, "occurrences", f.store.list()[0].Occurrences, 10)
		check.Equal(t, "a port of two roles is flushed once", f.flushed, 2)
		f.fail = errDown
		check.Equal(t, "port down", errors.Is(m.Flush(t.Context()), errDown), true)
	})
}

// TestSubmittedEventThatCannotBeStoredHoldsUpNobody submits events behind one
// that no store will ever take.
func TestSubmittedEventThatCannotBeStoredHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{false, true} {
		t.Run(list("alone=", alone), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &picky{}
				m := newMonitor(t, func(c *monitor.Config) {
					c.Detectors, c.Alerts = []monitor.Detector{&detector{name: "all"}}, s
					c.QuarantineInterval = time.Minute
				})
				stop := run(m)
				check.NoError(t, "submit", m.Submit(t.Context(), newEvent("poison", 0)))
				if alone {
					synctest.Wait() // it has failed by itself
				}
				for _, id := range []string{"a", "b", "c"} {
					check.NoError(t, "submit", m.Submit(t.Context(), newEvent(id, 0)))
				}
				synctest.Wait()
				check.Equal(t, "stored", s.list()[0].Occurrences, 3)
				check.Equal(t, "health", m.Health(t.Context()).Status, monitor.HealthWarning)
				tries := s.refused.Load()
				s.tamed.Store(true)
				advance(time.Minute + time.Second)
				check.Equal(t, "stored in the end", s.list()[0].Occurrences, 4)
				check.Equal(t, "tried in between", s.refused.Load(), tries)
				check.NoError(t, "stop", stop())
			})
		})
	}
}

// picky is a store that does not take the event "poison".
type picky struct {
	store

	refused atomic.Int64
	tamed   atomic.Bool
}

func (p *picky) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	for _, o := range os {
		if !p.tamed.Load() && o.Finding.Event.ID == "poison" {
			p.refused.Add(1)
			return nil, errDown
		}
	}
	return p.store.StoreOccurrences(ctx, os)
}

// TestOutageKeepsTheOrder has the detectors see submitted events in their order,
// although all failed for a while.
func TestOutageKeepsTheOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		d := &detector{name: "shared", fail: func(*monitor.Event) error {
			if !up.Load() {
				return errDown
			}
			return nil
		}}
		m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{d} })
		stop := run(m)
		var want []string
		for i := range 150 {
			id := list(i)
			want = append(want, id)
			check.NoError(t, "submit", m.Submit(t.Context(), newEvent(id, 0)))
			if i%10 == 0 {
				advance(time.Second)
			}
		}
		up.Store(true)
		advance(time.Minute)
		check.Equal(t, "order", strings.Join(d.events(), " "), strings.Join(want, " "))
		check.NoError(t, "stop", stop())
	})
}

func TestArrival(t *testing.T) {
	t.Parallel()
	arrivals := &arrivalRecorder{}
	arrive := func(m *monitor.Monitor, e *monitor.Event, delivery string) monitor.Arrival {
		t.Helper()
		_, err := m.ProcessBatch(t.Context(), []monitor.Delivery{{Event: e, ID: delivery}})
		check.NoError(t, "process", err)
		return arrivals.last
	}
	unverified := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{arrivals} })
	a := arrive(unverified, newEvent("a", 0), "1")
	check.Equal(t, "verified", a.Verified, false)
	check.Equal(t, "covered", a.Covered.Has(monitor.FieldSession|monitor.FieldDetails), true)
	check.Equal(t, "key of an event with an ID", a.DeliveryKey, monitor.EventKey{})
	check.Equal(t, "key without a delivery", arrive(unverified, newEvent("", 0), "").DeliveryKey, monitor.EventKey{})

	verified := newMonitor(t, func(c *monitor.Config) {
		c.AllowUnverified, c.Verifier = false, verdicts(nil)
		c.Detectors = []monitor.Detector{arrivals}
	})
	b := arrive(verified, newEvent("", 0), "2")
	check.Equal(t, "verified", b.Verified, true)
	check.Equal(t, "covered", b.Covered, monitor.FieldAction)
	if b.DeliveryKey == (monitor.EventKey{}) || b.DeliveryKey == arrive(verified, newEvent("", 0), "3").DeliveryKey {
		t.Errorf("delivery key %v does not tell the delivery", b.DeliveryKey)
	}
}

// TestBatchThatFailsAsAWhole has the store refuse several events at once and take
// them one by one: that is no failure to speak of.
func TestBatchThatFailsAsAWhole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s, c := &single{}, &counters{}
		m := newMonitor(t, func(cfg *monitor.Config) {
			cfg.Detectors, cfg.Alerts, cfg.Metrics = []monitor.Detector{&detector{name: "all"}}, s, c
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		rejected := newEvent("rejected", 0)
		rejected.OrganizationID = "operator"
		for _, e := range []*monitor.Event{newEvent("a", 0), rejected, newEvent("b", 0)} {
			check.NoError(t, "submit", m.Submit(t.Context(), e))
		}
		stop := run(m)
		check.Equal(t, "stored", s.list()[0].Occurrences, 2)
		check.Equal(t, "retries", c.get("retries"), 2)
		check.Equal(t, "log lines", strings.Count(log.String(), "\n"), 1) // about the rejected event
		check.Equal(t, "known", process(t, m, newEvent("a", 0)).Duplicate, monitor.DuplicateRedelivered)
		check.NoError(t, "stop", stop())
	})
}

// single is a store that takes one occurrence at a time.
type single struct{ store }

func (s *single) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	if len(os) > 1 {
		return nil, errDown
	}
	return s.store.StoreOccurrences(ctx, os)
}

// TestArrivalsDoNotEndTheWait submits events while the store is down: they do not
// make the worker ask it again before it is time.
func TestArrivalsDoNotEndTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{fail: errDown}
		m := newMonitor(t, func(c *monitor.Config) {
			c.Detectors, c.Alerts = []monitor.Detector{&detector{name: "all"}}, s
		})
		stop := run(m)
		for _, id := range []string{"a", "b"} {
			check.NoError(t, "submit", m.Submit(t.Context(), newEvent(id, 0)))
		}
		synctest.Wait()
		calls := s.called()
		for i := range 50 {
			check.NoError(t, "submit", m.Submit(t.Context(), newEvent(list(i), 0)))
			synctest.Wait()
		}
		check.Equal(t, "calls of the store", s.called(), calls)
		s.setFail(nil)
		check.NoError(t, "stop", stop())
		check.Equal(t, "stored", s.list()[0].Occurrences, 52)
	})
}

// TestQuarantinedEventIsJudgedOnce has the authority for a key answer at the third
// attempt. The event is judged then, in the context that it came with.
func TestQuarantinedEventIsJudgedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var attempts atomic.Int64
		c := &contexts{}
		m := newMonitor(t, func(cfg *monitor.Config) {
			cfg.AllowUnverified = false
			cfg.Verifier = monitor.VerifierFunc(func(context.Context, *monitor.Event) monitor.Verification {
				if attempts.Add(1) < 3 {
					return monitor.Verification{Decision: monitor.DecisionDefer, Verdict: monitor.VerdictUndecided, Err: errDown}
				}
				return monitor.Verification{Verdict: monitor.VerdictVerified}
			})
			cfg.Detectors, cfg.Alerts, cfg.QuarantineInterval = []monitor.Detector{c}, c, time.Second
		})
		stop := run(m)
		ctx := context.WithValue(context.Background(), spanKey{}, "own")
		r, err := m.Process(ctx, newEvent("", 0))
		check.NoError(t, "process", err)
		check.Equal(t, "state", r.State, monitor.StateQuarantined)
		advance(time.Minute)
		check.NoError(t, "stop", stop())
		check.Equal(t, "attempts", attempts.Load(), 3)
		check.Equal(t, "contexts of the detector and the store", list(c.single, c.stored), "[own] [own]")
	})
}
