package monitor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// authorities is a verifier that is undecided about events with certain keys, each
// after a while.
type authorities struct {
	mu    sync.Mutex
	down  func(key string) bool
	takes time.Duration
	asked map[string]int
}

func (a *authorities) Verify(_ context.Context, e *monitor.Event) monitor.Verification {
	a.mu.Lock()
	if a.asked == nil {
		a.asked = map[string]int{}
	}
	a.asked[e.KeyID]++
	down, takes := a.down(e.KeyID), a.takes
	a.mu.Unlock()
	if !down {
		return monitor.Verification{Verdict: monitor.VerdictVerified}
	}
	if takes > 0 {
		advance(takes)
	}
	return monitor.Verification{Decision: monitor.DecisionDefer, Verdict: monitor.VerdictUndecided, Err: errDown}
}

func (a *authorities) up() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = func(string) bool { return false }
}

// asks returns how often it was asked about a key.
func (a *authorities) asks(key string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[key]
}

func isAway(key string) bool { return strings.HasPrefix(key, "away") }

func signedBy(key string, e *monitor.Event) *monitor.Event {
	e.KeyID = key
	return e
}

// submit submits events, which must be accepted.
func submit(t *testing.T, m *monitor.Monitor, es ...*monitor.Event) {
	t.Helper()
	for _, e := range es {
		check.NoError(t, "submit", m.Submit(t.Context(), e))
	}
}

// TestUndecidedEventsHoldUpNobody floods a monitor with events that nobody can
// verify now: in the name of a tenant, of made-up organizations, under a key or
// without one. The tenants' other events are handled at once, and all that was
// accepted is handled in the end.
func TestUndecidedEventsHoldUpNobody(t *testing.T) {
	t.Parallel()
	for _, policy := range []monitor.QueuePolicy{monitor.QueueReject, monitor.QueueBlock} {
		for name, next := range map[string]func(n int) *monitor.Event{
			"one tenant":   func(n int) *monitor.Event { return signedBy("away", eventOf("ann", 1000+n)) },
			"made up":      func(n int) *monitor.Event { return signedBy("away", eventOf(fmt.Sprint("made-up", n), 0)) },
			"made-up keys": func(n int) *monitor.Event { return signedBy(fmt.Sprint("away", n), eventOf("ann", 1000+n)) },
		} {
			t.Run(fmt.Sprint(policy, " ", name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					v, d := &authorities{down: isAway}, &detector{name: "all"}
					m := newMonitor(t, func(c *monitor.Config) {
						c.AllowUnverified, c.Verifier, c.Detectors = false, v, []monitor.Detector{d}
						c.QueueCapacity, c.QuarantineCapacity, c.QueuePolicy = 100, 100, policy
					})
					introduce(t, m, "ann", "bob")
					stop := run(m)
					var accepted atomic.Int64
					for n := range 1000 {
						go func() {
							if m.Submit(context.Background(), next(n)) == nil {
								accepted.Add(1)
							}
						}()
						synctest.Wait()
						if n%50 == 0 {
							submit(t, m, signedBy("here", eventOf("ann", n)), signedBy("here", eventOf("bob", n)))
							synctest.Wait()
							check.Equal(t, "ann", len(handled(d, "ann")), n/50+1)
							check.Equal(t, "bob", len(handled(d, "bob")), n/50+1)
						}
					}
					before := accepted.Load()
					if before < 100 || before > 400 && name != "made-up keys" { // those are given up
						t.Errorf("%d undecided events were accepted", before)
					}
					v.up()
					advance(time.Minute)
					if policy == monitor.QueueBlock {
						check.Equal(t, "accepted in the end", accepted.Load(), 1000)
					}
					check.NoError(t, "stop", stop())
				})
			})
		}
	}
}

// TestFailuresOfOneTenantHoldUpNobody has a detector that fails on everything that
// one organization sends.
func TestFailuresOfOneTenantHoldUpNobody(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 3} {
		t.Run(fmt.Sprint("workers=", workers), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var healed atomic.Bool
				d := &detector{name: "all", fail: func(e *monitor.Event) error {
					if e.OrganizationID == "bad" && e.Action != "introduced" && !healed.Load() {
						return errDown
					}
					return nil
				}}
				m := newMonitor(t, func(c *monitor.Config) {
					c.Detectors, c.Workers = []monitor.Detector{d}, workers
					c.QueueCapacity, c.QuarantineCapacity, c.QueuePolicy = 200, 100, monitor.QueueReject
				})
				introduce(t, m, "bad", "ann")
				stop := run(m)
				accepted := 0
				for n := range 1000 {
					if err := m.Submit(t.Context(), eventOf("bad", n)); err == nil {
						accepted++
					}
					if n%100 == 99 {
						synctest.Wait()
						submit(t, m, eventOf("ann", n))
						synctest.Wait()
						check.Equal(t, "ann", len(handled(d, "ann")), n/100+1)
					}
				}
				if accepted < 100 || accepted > 600 {
					t.Errorf("%d failing events were accepted", accepted)
				}
				healed.Store(true)
				advance(time.Minute)
				check.Equal(t, "all that was accepted", len(handled(d, "bad")), accepted)
				check.NoError(t, "stop", stop())
			})
		})
	}
}

// TestSlowAuthorityHoldsUpNobody has an authority that takes five seconds to say
// that it cannot say. It is asked once for many events.
func TestSlowAuthorityHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, d := &authorities{down: isAway, takes: 5 * time.Second}, &detector{name: "all"}
		m := newMonitor(t, func(c *monitor.Config) {
			c.AllowUnverified, c.Verifier, c.Detectors = false, v, []monitor.Detector{d}
			c.QueueCapacity = 2000
		})
		introduce(t, m, "ann", "bob")
		stop := run(m)
		for n := range 500 {
			submit(t, m, signedBy("away", eventOf("ann", n)))
		}
		submit(t, m, signedBy("here", eventOf("bob", 0)))
		advance(6 * time.Second)
		wantHandled(t, d, "bob", 0)
		for n := range 100 {
			submit(t, m, signedBy("here", eventOf("bob", 1+n)), signedBy("away", eventOf("ann", 500+n)))
			synctest.Wait()
			check.Equal(t, "bob", len(handled(d, "bob")), 2+n)
		}
		advance(time.Minute)
		if asked := v.asks("away"); asked > 15 {
			t.Errorf("the authority was asked %d times in a minute", asked)
		}
		v.up()
		advance(20 * time.Second)
		check.Equal(t, "ann", len(handled(d, "ann")), 600)
		check.NoError(t, "stop", stop())
	})
}

// TestRetriesAreNotHeldUp quarantines events under many keys of slow authorities,
// behind and before those of a key that works again.
func TestRetriesAreNotHeldUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store atomic.Bool
		v := &authorities{down: isAway, takes: 3 * time.Second}
		d := &detector{name: "all", fail: func(e *monitor.Event) error {
			if e.OrganizationID == "bob" && e.Action != "introduced" && !store.Load() {
				return errDown
			}
			return nil
		}}
		m := newMonitor(t, func(c *monitor.Config) {
			c.AllowUnverified, c.Verifier, c.Detectors = false, v, []monitor.Detector{d}
		})
		introduce(t, m, "ann", "bob", "cay")
		stop := run(m)
		submit(t, m, eventOf("bob", 0))
		synctest.Wait()
		submit(t, m, eventOf("cay", 0)) // tells that bob's is at fault
		for n := range 1024 {
			submit(t, m, signedBy("away", eventOf("ann", n)))
		}
		submit(t, m, signedBy("away too", eventOf("cay", 1)))
		advance(10 * time.Second)
		store.Store(true)
		v.mu.Lock()
		v.down = func(key string) bool { return key == "away" }
		v.mu.Unlock()
		advance(15 * time.Second)
		wantHandled(t, d, "bob", 0)
		wantHandled(t, d, "cay", 0, 1)
		check.Equal(t, "ann", len(handled(d, "ann")), 0)
		v.up()
		advance(15 * time.Second)
		check.Equal(t, "ann", len(handled(d, "ann")), 1024)
		check.NoError(t, "stop", stop())
	})
}

// TestUndecidedBeyondEverything submits events under ever new keys. What cannot be
// kept is reported to the operator.
func TestUndecidedBeyondEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, d, c, s := &authorities{down: isAway}, &detector{name: "none", trigger: "-"}, &counters{}, &store{}
		var log bytes.Buffer
		m := newMonitor(t, func(cfg *monitor.Config) {
			cfg.AllowUnverified, cfg.Verifier, cfg.Detectors = false, v, []monitor.Detector{d}
			cfg.QueueCapacity, cfg.QuarantineCapacity, cfg.Metrics, cfg.Alerts = 50, 100, c, s
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		stop := run(m)
		const events = 400
		for n := range events {
			submit(t, m, signedBy(fmt.Sprint("away", n), eventOf(fmt.Sprint("made-up", n), n)))
			synctest.Wait()
		}
		advance(10 * time.Second)
		kept := c.get("quarantine_depth")
		check.Equal(t, "kept", kept, 150)
		check.Equal(t, "given up", c.get("events_given_up"), events-kept)
		check.NoError(t, "flush", m.Flush(t.Context()))
		check.Equal(t, "alerts", len(s.list()), 1)
		a := s.list()[0]
		check.Equal(t, "alert", list(a.OrganizationID, " ", a.Finding.Rule, " ", a.Occurrences), list("operator tampered ", events-kept))
		check.Equal(t, "verdict", strings.HasPrefix(a.Finding.Key, "undecided@"), true)
		check.Equal(t, "log", strings.Contains(log.String(), "given up") && strings.Contains(log.String(), "made-up399-399"), true)
		v.up()
		advance(10 * time.Second)
		check.Equal(t, "handled", len(d.events()), int(kept))
		check.NoError(t, "stop", stop())
	})
}

// TestQuarantineDropsOldest submits more undecided events than a tenant may have,
// under a policy that drops.
func TestQuarantineDropsOldest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, d, c := &authorities{down: isAway}, &detector{name: "all"}, &counters{}
		m := newMonitor(t, func(cfg *monitor.Config) {
			cfg.AllowUnverified, cfg.Verifier, cfg.Detectors, cfg.Metrics = false, v, []monitor.Detector{d}, c
			cfg.QuarantineCapacity, cfg.QueuePolicy = 100, monitor.QueueDropOldest
		})
		introduce(t, m, "ann")
		stop := run(m)
		for n := range 300 {
			submit(t, m, signedBy("away", eventOf("ann", n)))
			synctest.Wait()
		}
		check.Equal(t, "dropped", c.get("events_dropped/drop_oldest"), 200)
		v.up()
		advance(10 * time.Second)
		wantHandled(t, d, "ann", numbers(200, 300)...)
		check.NoError(t, "stop", stop())
	})
}

// TestPermanentErrorOfADetector is settled: the event is not tried again, with all
// that other detectors found, and its batch is not held up.
func TestPermanentErrorOfADetector(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fail := func(e *monitor.Event) error {
			if e.Action == "bad" {
				return fmt.Errorf("no such country: %w", monitor.ErrPermanent)
			}
			return nil
		}
		single := &detector{name: "single", fail: fail}
		batch := &batchDetector{detector: detector{name: "batch", fail: fail}}
		var log bytes.Buffer
		s, c := &store{}, &counters{}
		m := newMonitor(t, func(cfg *monitor.Config) {
			cfg.Detectors = []monitor.Detector{single, batch, &detector{name: "other"}}
			cfg.Alerts, cfg.Metrics, cfg.Logger = s, c, slog.New(slog.NewTextHandler(&log, nil))
		})
		bad := eventOf("org-1", 1)
		bad.Action = "bad"
		r, err := m.Process(t.Context(), bad)
		check.Equal(t, "state", r.State, monitor.StateDone)
		check.Equal(t, "error", errors.Is(err, monitor.ErrPermanent), true)
		check.Equal(t, "findings", len(r.Findings), 3)

		stop := run(m)
		worse := eventOf("org-2", 2)
		worse.Action = "bad"
		submit(t, m, eventOf("org-1", 3), worse, eventOf("org-1", 4))
		synctest.Wait()
		check.Equal(t, "judged", strings.Join(single.events(), " "), "org-1-3 org-1-4")
		check.Equal(t, "judged in a batch", strings.HasSuffix(strings.Join(batch.events(), " "), "org-1-3 org-1-4"), true)
		check.Equal(t, "retries", c.get("retries"), 0)
		check.Equal(t, "errors", c.get("errors/detector"), 4)
		check.Equal(t, "log", strings.Count(log.String(), "org-2-2"), 1)
		check.Equal(t, "log", strings.Contains(log.String(), "organization=org-2"), true)
		check.NoError(t, "stop", stop())
	})
}

// TestHealthOfTheQuarantine says what stands aside, and since when.
func TestHealthOfTheQuarantine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &authorities{down: isAway}
		m := newMonitor(t, func(c *monitor.Config) {
			c.AllowUnverified, c.Verifier, c.QuarantineCapacity = false, v, 3
		})
		stop := run(m)
		began := time.Now()
		check.Equal(t, "empty", component(t, m, "quarantine"), monitor.ComponentHealth{Name: "quarantine", Message: "0 of 3"})
		process(t, m, signedBy("away", eventOf("ann", 1)))
		advance(time.Minute)
		process(t, m, signedBy("away", eventOf("ann", 2)))
		check.Equal(t, "two", component(t, m, "quarantine"), monitor.ComponentHealth{
			Name: "quarantine", Status: monitor.HealthWarning, Since: began,
			Message: "2 not verified, 0 failed, the oldest waits for 1m0s",
		})
		process(t, m, signedBy("away", eventOf("ann", 3)))
		check.Equal(t, "full", component(t, m, "quarantine").Status, monitor.HealthCritical)
		v.up()
		advance(time.Minute)
		check.Equal(t, "empty", component(t, m, "quarantine").Status, monitor.HealthOK)
		check.NoError(t, "stop", stop())
	})
}
