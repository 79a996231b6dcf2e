package monitor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestProcessRaisesAlert(t *testing.T) {
	t.Parallel()
	s, c := &store{}, &counters{}
	m := newMonitor(t, func(c2 *monitor.Config) {
		c2.Detectors = []monitor.Detector{&detector{name: "reads", trigger: "data.read"}}
		c2.Alerts, c2.Metrics = s, c
	})
	r := process(t, m, newEvent("e1", 0))
	check.Equal(t, "findings", len(r.Findings), 1)
	check.Equal(t, "disposition", r.Dispositions[0].Stored, monitor.StoredNew)
	check.Equal(t, "organization", r.Findings[0].OrganizationID, "org-1")
	check.Equal(t, "verdict", r.Verification.Verdict, monitor.VerdictUnverified)
	check.Equal(t, "sequence", r.Sequence, 1)

	r = process(t, m, newEvent("e2", time.Second))
	check.Equal(t, "second disposition", r.Dispositions[0].Stored, monitor.StoredRepeat)
	alerts := s.list()
	check.Equal(t, "alerts", len(alerts), 1)
	a := alerts[0]
	check.Equal(t, "occurrences", a.Occurrences, 2)
	check.Equal(t, "fingerprint", a.Fingerprint, monitor.FingerprintOf("reads", "org-1", "ann"))
	check.Equal(t, "title", a.Title, "Suspicious Pattern Detected: READS")
	check.Equal(t, "type", a.Type, monitor.AlertSecurity)
	check.Equal(t, "source", a.Source, "audit-monitoring")
	check.Equal(t, "correlation", a.CorrelationID, "c-1")
	check.Equal(t, "event key", s.keys[monitor.EventKeyOf("org-1", "e1")], true)
	for metric, want := range map[string]int64{
		"events_processed": 2, "processing_latency": 2, "suspicious_patterns/reads": 2,
		"alerts_created/reads": 1, "alerts_repeated/reads": 1, "errors": 0,
	} {
		check.Equal(t, metric, c.get(metric), want)
	}
}

func TestProcessWithoutStoreReturnsFindings(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors = []monitor.Detector{&detector{name: "all"}}
	})
	r := process(t, m, newEvent("", 0))
	check.Equal(t, "findings", len(r.Findings), 1)
	check.Equal(t, "dispositions", len(r.Dispositions), 0)
}

func TestProcessQuietEventStoresNothing(t *testing.T) {
	t.Parallel()
	s := &store{}
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors = []monitor.Detector{&detector{name: "writes", trigger: "data.write"}}
		c.Alerts = s
	})
	r := process(t, m, newEvent("e1", 0))
	check.Equal(t, "findings", len(r.Findings), 0)
	check.Equal(t, "calls of the store", s.calls, 0)
}

func TestShadowFindingRaisesNothing(t *testing.T) {
	t.Parallel()
	s, c := &store{}, &counters{}
	m := newMonitor(t, func(c2 *monitor.Config) {
		c2.Detectors = []monitor.Detector{&detector{name: "tried", shadow: true}, &detector{name: "real"}}
		c2.Alerts, c2.Metrics = s, c
	})
	r := process(t, m, newEvent("e1", 0))
	check.Equal(t, "findings", len(r.Findings), 2)
	check.Equal(t, "alerts", len(s.list()), 1)
	check.Equal(t, "alert", s.list()[0].Finding.Rule, "real")
	check.Equal(t, "first disposition", r.Dispositions[0].Stored, monitor.StoredNothing)
	check.Equal(t, "second disposition", r.Dispositions[1].Stored, monitor.StoredNew)
	check.Equal(t, "shadow", c.get("shadow_findings/tried"), 1)
	check.Equal(t, "patterns", c.get("suspicious_patterns"), 1)
}

func TestPlainHandlerGetsAlertsOfItsOwn(t *testing.T) {
	t.Parallel()
	var got []*monitor.Alert
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors = []monitor.Detector{&detector{name: "all"}}
		c.Alerts = monitor.AlertHandlerFunc(func(_ context.Context, a *monitor.Alert) error {
			got = append(got, a)
			return nil
		})
	})
	process(t, m, newEvent("e1", 0))
	process(t, m, newEvent("e2", 0))
	check.Equal(t, "alerts", len(got), 2)
	if got[0] == got[1] || got[0].ID == got[1].ID || got[0].Finding.Event.ID != "e1" {
		t.Errorf("the handler cannot keep its alerts: %+v, %+v", got[0], got[1])
	}
}

func TestFailedVerificationAlertsTheOperator(t *testing.T) {
	t.Parallel()
	s, c, d := &store{}, &counters{}, &detector{name: "all"}
	m := newMonitor(t, func(c2 *monitor.Config) {
		c2.AllowUnverified = false
		c2.Verifier = verdicts(map[string]monitor.Verification{
			"bad":  {Decision: monitor.DecisionFail, Verdict: monitor.VerdictContentEdited, Err: errors.New("hash mismatch")},
			"bad2": {Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged},
		})
		c2.Detectors, c2.Alerts, c2.Metrics = []monitor.Detector{d}, s, c
	})
	e := newEvent("e1", 0)
	e.Action, e.OrganizationID = "bad", "victim"
	r := process(t, m, e)
	check.Equal(t, "outcome", r.Verification.Decision, monitor.DecisionFail)
	check.Equal(t, "rule", r.Findings[0].Rule, monitor.RuleTampered)
	check.Equal(t, "severity", r.Findings[0].Severity, monitor.SeverityCritical)
	check.Equal(t, "organization", r.Findings[0].OrganizationID, "operator")
	if d := r.Findings[0].Describe(); !strings.Contains(d, "hash mismatch") || !strings.Contains(d, `"victim"`) {
		t.Errorf("description %q does not say why and what is claimed", d)
	}
	check.Equal(t, "events that detectors saw", len(d.events()), 0)

	// The claimed organization makes no incident of its own, the verdict does.
	again := newEvent("e1", 0)
	again.Action, again.OrganizationID = "bad", "another"
	process(t, m, again)
	check.Equal(t, "alerts after another tenant", len(s.list()), 1)
	check.Equal(t, "occurrences", s.list()[0].Occurrences, 2)
	forged := newEvent("e2", 0)
	forged.Action = "bad2"
	process(t, m, forged)
	check.Equal(t, "alerts after another verdict", len(s.list()), 2)

	process(t, m, newEvent("e3", 0))
	check.Equal(t, "events that detectors saw", len(d.events()), 1)
	check.Equal(t, "violations", c.get("integrity_violations"), 3)
	check.Equal(t, "verifications", c.get("verifications/verified"), 1)
}

func TestVerifierPanicIsNotTrusted(t *testing.T) {
	t.Parallel()
	s, c, d := &store{}, &counters{}, &detector{name: "all"}
	m := newMonitor(t, func(cfg *monitor.Config) {
		cfg.AllowUnverified = false
		cfg.Verifier = monitor.VerifierFunc(func(context.Context, *monitor.Event) monitor.Verification { panic("boom") })
		cfg.Detectors, cfg.Alerts, cfg.Metrics = []monitor.Detector{d}, s, c
	})
	r := process(t, m, newEvent("e1", 0))
	check.Equal(t, "outcome", r.Verification.Decision, monitor.DecisionFail)
	var p *monitor.PanicError
	if !errors.As(r.Verification.Err, &p) || len(p.Stack) == 0 {
		t.Errorf("verification error %v is no panic with a stack", r.Verification.Err)
	}
	check.Equal(t, "alerts", len(s.list()), 1)
	check.Equal(t, "panics", c.get("errors/panic"), 1)
	check.Equal(t, "events that detectors saw", len(d.events()), 0)
}

func TestUndecidedIsAnErrorWithoutRun(t *testing.T) {
	t.Parallel()
	d := &detector{name: "all"}
	m := newMonitor(t, func(c *monitor.Config) {
		c.AllowUnverified = false
		c.Verifier = verdicts(map[string]monitor.Verification{
			"data.read": {Decision: monitor.DecisionDefer, Verdict: monitor.VerdictUndecided, Err: errDown},
		})
		c.Detectors = []monitor.Detector{d}
	})
	_, err := m.Process(t.Context(), newEvent("e1", 0))
	if !errors.Is(err, monitor.ErrUndecided) || !errors.Is(err, errDown) {
		t.Errorf("error %v, want ErrUndecided and its cause", err)
	}
	check.Equal(t, "events that detectors saw", len(d.events()), 0)
}

func TestOrganization(t *testing.T) {
	t.Parallel()
	d := &detector{name: "all"}
	strict := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{d} })
	e := newEvent("e1", 0)
	e.OrganizationID = ""
	_, err := strict.Process(t.Context(), e)
	wantInvalid(t, err, "organizationId")

	for _, reserved := range []string{"operator", "\x00all"} {
		e = newEvent("e1", 0)
		e.OrganizationID = reserved
		_, err = strict.Process(t.Context(), e)
		wantInvalid(t, err, "organizationId")
	}

	lenient := newMonitor(t, func(c *monitor.Config) {
		c.Detectors, c.DefaultOrganization = []monitor.Detector{d}, "home"
	})
	e = newEvent("e1", 0)
	e.OrganizationID = ""
	r := process(t, lenient, e)
	check.Equal(t, "organization", r.Findings[0].OrganizationID, "home")
	check.Equal(t, "the event's own", e.OrganizationID, "")
}

func TestInvalidEventIsRefused(t *testing.T) {
	t.Parallel()
	c := &counters{}
	m := newMonitor(t, func(c2 *monitor.Config) { c2.Metrics = c })
	e := newEvent("e1", 0)
	e.Action = ""
	r, err := m.Process(t.Context(), e)
	wantInvalid(t, err, "action")
	if !errors.Is(r.Err, err) {
		t.Errorf("Result.Err is %v, the error %v", r.Err, err)
	}
	check.Equal(t, "errors", c.get("errors/invalid"), 1)
	check.Equal(t, "processed", c.get("events_processed"), 0)
}

func TestDetectorErrorIsTriedAgainWhereItStopped(t *testing.T) {
	t.Parallel()
	s, first := &store{}, &detector{name: "first"}
	down := true
	second := &detector{name: "second", fail: func(*monitor.Event) error {
		if down {
			return errDown
		}
		return nil
	}}
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors, c.Alerts = []monitor.Detector{first, second}, s
	})
	r, err := m.Process(t.Context(), newEvent("e1", 0))
	if !errors.Is(err, errDown) || !strings.Contains(err.Error(), "second") {
		t.Errorf("error %v, want the detector's", err)
	}
	check.Equal(t, "findings of the attempt", len(r.Findings), 1)
	check.Equal(t, "alerts of the attempt", len(s.list()), 1)

	down = false
	r = process(t, m, newEvent("e1", 0))
	check.Equal(t, "findings", len(r.Findings), 2)
	check.Equal(t, "calls of the first detector", len(first.events()), 1)
	check.Equal(t, "calls of the second detector", len(second.events()), 1)
	check.Equal(t, "alerts", len(s.list()), 2)
	check.Equal(t, "occurrences", s.list()[0].Occurrences, 1)
	r = process(t, m, newEvent("e1", 0))
	check.Equal(t, "duplicate afterwards", r.Duplicate, monitor.DuplicateRedelivered)
}

func TestStoreErrorIsTriedAgainWithTheSameFindings(t *testing.T) {
	t.Parallel()
	s, d, c := &store{fail: errDown}, &detector{name: "all"}, &counters{}
	m := newMonitor(t, func(c2 *monitor.Config) {
		c2.Detectors, c2.Alerts, c2.Metrics = []monitor.Detector{d}, s, c
	})
	for range 3 {
		_, err := m.Process(t.Context(), newEvent("e1", 0))
		if !errors.Is(err, errDown) {
			t.Fatalf("error %v, want the store's", err)
		}
	}
	check.Equal(t, "health", m.Health(t.Context()).Status, monitor.HealthCritical)
	s.setFail(nil)
	r := process(t, m, newEvent("e1", 0))
	check.Equal(t, "findings", len(r.Findings), 1)
	check.Equal(t, "stored", r.Dispositions[0].Stored, monitor.StoredNew)
	check.Equal(t, "calls of the detector", len(d.events()), 1)
	check.Equal(t, "patterns counted", c.get("suspicious_patterns"), 1)
	check.Equal(t, "processed", c.get("events_processed"), 1)
	check.Equal(t, "health", m.Health(t.Context()).Status, monitor.HealthOK)
}

func TestPanicIsIsolated(t *testing.T) {
	t.Parallel()
	s, c := &store{}, &counters{}
	boom := &detector{name: "boom", fail: func(*monitor.Event) error { panic(errDown) }}
	after := &detector{name: "after"}
	m := newMonitor(t, func(c2 *monitor.Config) {
		c2.Detectors, c2.Alerts, c2.Metrics = []monitor.Detector{boom, after}, s, c
	})
	_, err := m.Process(t.Context(), newEvent("e1", 0))
	var p *monitor.PanicError
	if !errors.As(err, &p) || !errors.Is(err, errDown) || p.Where != "detector boom" {
		t.Fatalf("error %v, want the panic", err)
	}
	check.Equal(t, "events of the next detector", len(after.events()), 1)
	check.Equal(t, "panics", c.get("errors/panic"), 1)
	r := process(t, m, newEvent("e1", 0))
	check.Equal(t, "not tried again", r.Duplicate, monitor.DuplicateRedelivered)
}

func TestHandlerPanicIsAnError(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors = []monitor.Detector{&detector{name: "all"}}
		c.Alerts = monitor.AlertHandlerFunc(func(context.Context, *monitor.Alert) error { panic("boom") })
	})
	_, err := m.Process(t.Context(), newEvent("e1", 0))
	var p *monitor.PanicError
	if !errors.As(err, &p) {
		t.Fatalf("error %v, want the panic", err)
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	s := &store{}
	d := &batchDetector{detector: detector{name: "all"}}
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors, c.Alerts = []monitor.Detector{d}, s
	})
	bad := newEvent("bad", 0)
	bad.Action = ""
	rs, err := m.ProcessBatch(t.Context(), deliveries(newEvent("a", 0), bad, newEvent("b", 0), newEvent("a", 0)))
	wantInvalid(t, err, "action")
	wantInvalid(t, rs[1].Err, "action")
	check.Equal(t, "results", len(rs), 4)
	check.Equal(t, "detector calls", list(d.batches), "[2]")
	check.Equal(t, "seen", list(d.events()), "[a b]")
	check.Equal(t, "store calls", s.calls, 1)
	check.Equal(t, "first", rs[0].Dispositions[0].Stored, monitor.StoredNew)
	check.Equal(t, "third", rs[2].Dispositions[0].Stored, monitor.StoredRepeat)
	check.Equal(t, "fourth", rs[3].Duplicate, monitor.DuplicateRedelivered)
}

func TestBatchPanicBlamesOneEvent(t *testing.T) {
	t.Parallel()
	d := &batchDetector{detector: detector{name: "all", fail: func(e *monitor.Event) error {
		if e.ID == "b" || e.ID == "d" {
			panic("boom")
		}
		return nil
	}}}
	m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{d} })
	var es []*monitor.Event
	for _, id := range []string{"a", "b", "c", "d"} {
		es = append(es, newEvent(id, 0))
	}
	rs, _ := m.ProcessBatch(t.Context(), deliveries(es...))
	for i, panics := range []bool{false, true, false, true} {
		var p *monitor.PanicError
		check.Equal(t, es[i].ID+" panics", errors.As(rs[i].Err, &p), panics)
	}
	check.Equal(t, "batches", list(d.batches), "[4]")
	check.Equal(t, "judged", list(d.events()), "[a a c]") // a once by the call that panicked
}

// After a panic in a batch the findings and failures of that call are dropped,
// those of other detectors stand, and each event is judged by itself.
func TestBatchPanicKeepsTheFindingsOfOthers(t *testing.T) {
	t.Parallel()
	d := &batchDetector{detector: detector{name: "foreign", fail: func(e *monitor.Event) error {
		if e.ID == "b" {
			panic("boom")
		}
		return nil
	}}}
	s := &store{}
	m := newMonitor(t, func(c *monitor.Config) {
		c.Alerts = s
		c.Detectors = []monitor.Detector{&detector{name: "before"}, failing{}, d, &detector{name: "after"}}
	})
	es := []*monitor.Event{newEvent("a", 0), newEvent("b", 0), newEvent("c", 0)}
	rs, _ := m.ProcessBatch(t.Context(), deliveries(es...))
	for i, want := range []string{"[before foreign after]", "[before foreign after]", "[before foreign after]"} {
		var rules []string
		for _, f := range rs[i].Findings {
			rules = append(rules, f.Rule)
		}
		check.Equal(t, es[i].ID+" found", list(rules), want)
		check.Equal(t, es[i].ID+" stored", len(rs[i].Dispositions), 3)
		check.Equal(t, es[i].ID+" failure", errors.Is(rs[i].Err, errDown), true)
		var p *monitor.PanicError
		check.Equal(t, es[i].ID+" panics", errors.As(rs[i].Err, &p), es[i].ID == "b")
	}
}

func TestBatchErrorStopsOnlyWhatFailed(t *testing.T) {
	t.Parallel()
	down := true
	d := &batchDetector{detector: detector{name: "shared", fail: func(*monitor.Event) error {
		if down {
			return errDown
		}
		return nil
	}}}
	local := &detector{name: "local"}
	m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{d, local} })
	es := []*monitor.Event{newEvent("a", 0), newEvent("b", 0)}
	rs, err := m.ProcessBatch(t.Context(), deliveries(es...))
	if !errors.Is(err, errDown) || rs[0].Err == nil || rs[1].Err == nil {
		t.Fatalf("errors %v, %v, %v", err, rs[0].Err, rs[1].Err)
	}
	down = false
	rs, err = m.ProcessBatch(t.Context(), deliveries(es...))
	if err != nil {
		t.Fatal(err)
	}
	check.Equal(t, "findings", len(rs[0].Findings), 2)
	check.Equal(t, "local saw", list(local.events()), "[a b]")
}

func TestReporterFailIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{failing{}} })
	_, err := m.Process(t.Context(), newEvent("e1", 0))
	if !errors.Is(err, errDown) {
		t.Fatalf("error %v", err)
	}
	r := process(t, m, newEvent("e1", 0))
	check.Equal(t, "duplicate", r.Duplicate, monitor.DuplicateRedelivered)
}

type failing struct{}

func (failing) Name() string { return "failing" }

func (failing) Detect(_ context.Context, _ *monitor.Event, r *monitor.Reporter) error {
	r.Fail(errDown)
	return nil
}

func TestFoldingCapsIntegrityAlerts(t *testing.T) {
	t.Parallel()
	s, c := &store{}, &counters{}
	m := newMonitor(t, func(c2 *monitor.Config) {
		c2.AllowUnverified = false
		c2.Verifier = verdicts(map[string]monitor.Verification{
			"data.read": {Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged},
		})
		c2.Alerts, c2.Metrics, c2.IntegrityAlertRate = s, c, 5
	})
	const events = 1000
	for range events {
		process(t, m, newEvent("", 0))
	}
	if s.calls >= events/2 {
		t.Errorf("%d of %d forged events reached the store", s.calls, events)
	}
	if c.get("integrity_alerts_aggregated") == 0 {
		t.Error("nothing was counted as folded")
	}
	if err := m.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	check.Equal(t, "occurrences after the shutdown", s.list()[0].Occurrences, events)
}

func TestFoldedOccurrencesJoinTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		m := newMonitor(t, func(c *monitor.Config) {
			c.AllowUnverified = false
			c.Verifier = verdicts(map[string]monitor.Verification{
				"data.read": {Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged},
			})
			c.Alerts, c.IntegrityAlertRate = s, 1
		})
		for range 5 {
			process(t, m, newEvent("", 0))
		}
		check.Equal(t, "stored in the first second", s.list()[0].Occurrences, 1)
		advance(time.Second)
		process(t, m, newEvent("", 0))
		check.Equal(t, "stored in the next", s.list()[0].Occurrences, 6)
	})
}

func TestStoreMustAnswerEveryAlert(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors, c.Alerts = []monitor.Detector{&detector{name: "all"}}, mute{}
	})
	if _, err := m.Process(t.Context(), newEvent("e1", 0)); err == nil || !strings.Contains(err.Error(), "0 dispositions for 1") {
		t.Errorf("error %v", err)
	}
}

// mute is a store that does not answer.
type mute struct{}

func (mute) StoreOccurrences(context.Context, []*monitor.Occurrence) ([]monitor.Disposition, error) {
	return nil, nil
}

func TestHealthWarnsBeforeTheQueueIsFull(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) { c.QueueCapacity = 5 })
	for i, want := range []monitor.HealthStatus{
		monitor.HealthOK, monitor.HealthOK, monitor.HealthOK, monitor.HealthWarning, monitor.HealthCritical,
	} {
		if err := m.Submit(t.Context(), newEvent("", 0)); err != nil {
			t.Fatal(err)
		}
		check.Equal(t, list("health with ", i+1, " of 5"), component(t, m, "queue").Status, want)
	}
}
