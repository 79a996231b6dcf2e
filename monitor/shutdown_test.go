package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

var forgery = monitor.Verification{Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged}

// forgeries is a monitor to which every event is forged.
func forgeries(t *testing.T, alerts monitor.AlertStorer, change func(*monitor.Config)) *monitor.Monitor {
	t.Helper()
	return newMonitor(t, func(c *monitor.Config) {
		c.AllowUnverified, c.Alerts = false, alerts
		c.Verifier = monitor.VerifierFunc(func(context.Context, *monitor.Event) monitor.Verification { return forgery })
		if change != nil {
			change(c)
		}
	})
}

func occurrences(s *store) (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.order {
		n += a.Occurrences
	}
	return n
}

// TestEveryForgeryIsCounted has far more forged events than the rate allows. All
// are in the store after a flush, and without one soon after no more come.
func TestEveryForgeryIsCounted(t *testing.T) {
	t.Parallel()
	const events = 5000
	t.Run("flush", func(t *testing.T) {
		t.Parallel()
		s := &store{}
		m := forgeries(t, s, nil)
		for range events {
			process(t, m, newEvent("", 0))
		}
		check.NoError(t, "flush", m.Flush(t.Context()))
		check.Equal(t, "occurrences", occurrences(s), events)
	})
	t.Run("flush of a manager", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			memory := memalerts.New(nil)
			manager, err := alerting.NewManager(memory, nil)
			check.NoError(t, "manager", err)
			m := forgeries(t, manager, nil)
			stop := run(m)
			for range events {
				process(t, m, newEvent("", 0))
			}
			check.NoError(t, "flush", m.Flush(t.Context()))
			for a, err := range manager.List(t.Context(), alerting.Query{Organization: "operator"}) {
				check.NoError(t, "list", err)
				check.Equal(t, "occurrences", a.Occurrences, events)
			}
			check.NoError(t, "stop", stop())
		})
	})
	t.Run("run", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &store{}
			m := forgeries(t, s, nil)
			stop := run(m)
			for range events {
				process(t, m, newEvent("", 0))
			}
			check.Equal(t, "at once", occurrences(s), 100)
			advance(2 * time.Second)
			check.Equal(t, "soon", occurrences(s), events)
			for range events {
				process(t, m, newEvent("", 0))
			}
			s.setFail(errDown)
			advance(10 * time.Second)
			s.setFail(nil)
			check.NoError(t, "stop", stop())
			check.Equal(t, "at the end", occurrences(s), 2*events)
		})
	})
}

// TestFlushStoresOnce has a store that stores, and says that it did not.
func TestFlushStoresOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the rate is by the second of the clock
		s := &store{}
		lies := false
		m := forgeries(t, storerFunc(func(os []*monitor.Occurrence) ([]monitor.Disposition, error) {
			ds, err := s.StoreOccurrences(t.Context(), os)
			if lies {
				return nil, errDown
			}
			return ds, err
		}), func(c *monitor.Config) { c.IntegrityAlertRate = 1 })
		for range 10 {
			process(t, m, newEvent("", 0))
		}
		lies = true
		check.ErrorIs(t, "flush", m.Flush(t.Context()), errDown)
		for range 10 {
			process(t, m, newEvent("", 0))
		}
		check.ErrorIs(t, "flush", m.Flush(t.Context()), errDown)
		lies = false
		check.NoError(t, "flush", m.Flush(t.Context()))
		check.Equal(t, "occurrences", occurrences(s), 20)
	})
}

// TestForgeryThatFailedIsCountedBesidesTheOthers has the store fail on an event that
// stands for others, which a flush then stores before the event comes again.
func TestForgeryThatFailedIsCountedBesidesTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		m := forgeries(t, s, func(c *monitor.Config) { c.IntegrityAlertRate = 1 })
		for range 10 {
			process(t, m, newEvent("", 0))
		}
		advance(time.Second)
		s.setFail(errDown)
		last := []monitor.Delivery{{Event: newEvent("", 0), ID: "last"}}
		for range 3 {
			_, err := m.ProcessBatch(t.Context(), last)
			check.ErrorIs(t, "process", err, errDown)
			advance(time.Second)
		}
		s.setFail(nil)
		check.NoError(t, "flush", m.Flush(t.Context()))
		check.Equal(t, "others", occurrences(s), 10)
		_, err := m.ProcessBatch(t.Context(), last)
		check.NoError(t, "process", err)
		check.Equal(t, "all", occurrences(s), 11)
	})
}

// TestShutdownWaitsForCalls has a shutdown overtake calls that are still in the
// verifier. What comes of them is part of its last flush, and of those of the ports.
func TestShutdownWaitsForCalls(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{true, false} {
		for name, end := range map[string]func(m *monitor.Monitor) error{
			"Process": func(m *monitor.Monitor) error {
				_, err := m.Process(context.Background(), newEvent("", 0))
				return err
			},
			"ProcessBatch": func(m *monitor.Monitor) error {
				_, err := m.ProcessBatch(context.Background(), deliveries(newEvent("", 0)))
				return err
			},
		} {
			t.Run(fmt.Sprint(name, " running=", running), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s, log := &store{}, &eventLog{}
					verify := make(chan struct{})
					m := forgeries(t, s, func(c *monitor.Config) {
						c.IntegrityAlertRate = 1
						c.Metrics = &port{name: "metrics", log: log}
						c.Verifier = monitor.VerifierFunc(func(context.Context, *monitor.Event) monitor.Verification {
							<-verify
							log.add("verified")
							return forgery
						})
					})
					if running {
						go func() { _ = m.Run(context.Background()) }()
					}
					var calls sync.WaitGroup
					for range 3 {
						calls.Go(func() { check.NoError(t, name, end(m)) })
					}
					synctest.Wait()
					down := make(chan error, 1)
					go func() { down <- m.Shutdown(context.Background()) }()
					synctest.Wait()
					check.Equal(t, "shut down", len(down), 0)
					check.ErrorIs(t, "late", end(m), monitor.ErrClosed)
					close(verify)
					check.NoError(t, "shutdown", <-down)
					check.Equal(t, "occurrences", occurrences(s), 3)
					check.Equal(t, "steps", len(log.lines), 4)
					check.Equal(t, "last step", log.lines[3], "stop metrics")
					calls.Wait()
				})
			})
		}
	}
}

// TestNothingIsAggregatedAfterTheLastFlush cuts off a shutdown before the calls in
// progress have ended.
func TestNothingIsAggregatedAfterTheLastFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		m := forgeries(t, s, func(c *monitor.Config) {
			c.IntegrityAlertRate = 1
			c.Verifier = monitor.VerifierFunc(func(context.Context, *monitor.Event) monitor.Verification {
				advance(time.Minute)
				return forgery
			})
		})
		var calls sync.WaitGroup
		for range 5 {
			calls.Go(func() { process(t, m, newEvent("", 0)) })
		}
		synctest.Wait()
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := m.Shutdown(short)
		check.ErrorIs(t, "shutdown", err, context.DeadlineExceeded)
		check.Equal(t, "calls", strings.Contains(err.Error(), "5 calls are in progress"), true)
		calls.Wait()
		check.Equal(t, "occurrences", occurrences(s), 5)
	})
}

// TestShutdownReturnsTheCallersError has the caller's deadline pass, or its context
// canceled, in several situations. The error is the caller's and no other.
func TestShutdownReturnsTheCallersError(t *testing.T) {
	t.Parallel()
	expire := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), time.Second)
	}
	canceled := func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		return ctx, cancel
	}
	for _, c := range []struct {
		name      string
		running   bool
		end       func() (context.Context, context.CancelFunc)
		want, not error
	}{
		{"deadline while running", true, expire, context.DeadlineExceeded, context.Canceled},
		{"deadline", false, expire, context.DeadlineExceeded, context.Canceled},
		{"canceled while running", true, canceled, context.Canceled, context.DeadlineExceeded},
		{"canceled", false, canceled, context.Canceled, context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMonitor(t, func(cfg *monitor.Config) {
					cfg.Detectors, cfg.Alerts = []monitor.Detector{&detector{name: "all"}}, &store{fail: errDown}
				})
				ended := make(chan error, 1)
				if c.running {
					go func() { ended <- m.Run(context.Background()) }()
				} else {
					ended <- nil
				}
				submit(t, m, newEvent("a", 0))
				advance(time.Second)
				ctx, cancel := c.end()
				defer cancel()
				err := m.Shutdown(ctx)
				unhandled := check.ErrorAs[*monitor.UnhandledError](t, "shutdown", err)
				check.ErrorIs(t, "unhandled", unhandled.Err, c.want)
				for what, err := range map[string]error{"shutdown": err, "run": <-ended, "later": m.Shutdown(t.Context())} {
					check.Equal(t, what, errors.Is(err, c.not), false)
				}
			})
		})
	}
}

// TestDrainTimeoutSaysSo tells a drain that took too long from a canceled context,
// also when a port has stopped by itself.
func TestDrainTimeoutSaysSo(t *testing.T) {
	t.Parallel()
	for _, stops := range []bool{false, true} {
		t.Run(fmt.Sprint("port stops=", stops), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMonitor(t, func(c *monitor.Config) {
					c.Detectors, c.Alerts = []monitor.Detector{&detector{name: "all"}}, &store{fail: errDown}
					c.Metrics, c.DrainTimeout = &port{name: "metrics", log: &eventLog{}, now: stops}, 7*time.Second
				})
				submit(t, m, newEvent("a", 0))
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				began := time.Now()
				if !stops {
					cancel()
				}
				unhandled := check.ErrorAs[*monitor.UnhandledError](t, "run", m.Run(ctx))
				check.Equal(t, "time", time.Since(began), 7*time.Second)
				check.ErrorIs(t, "reason", unhandled.Err, context.DeadlineExceeded)
				check.Equal(t, "canceled", errors.Is(unhandled.Err, context.Canceled), false)
				check.Equal(t, "text", unhandled.Err.Error(), "drain timeout of 7s has passed: context deadline exceeded")
			})
		})
	}
}
