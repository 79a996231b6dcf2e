package monitor_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// A host is a batch detector that does something of its own in its call.
type host struct {
	*batchDetector
	during func(es []*monitor.Event, rs []*monitor.Reporter)
}

func newHost(during func(es []*monitor.Event, rs []*monitor.Reporter)) host {
	return host{&batchDetector{detector: detector{name: "host"}}, during}
}

func (h host) DetectBatch(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	err := h.batchDetector.DetectBatch(ctx, es, rs)
	h.during(es, rs)
	return err
}

// TestIllegalFindings has a detector report what no store can keep about one event
// of several. It is named, counted, logged and settled, and everything else is
// stored.
func TestIllegalFindings(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", monitor.MaxEventSize)
	for name, c := range map[string]struct {
		field string
		spoil func(f *monitor.Finding)
	}{
		"no timestamp":        {"Finding.Event.Timestamp", func(f *monitor.Finding) { f.Event.Timestamp = time.Time{} }},
		"year 10001":          {"Finding.Event.Timestamp", func(f *monitor.Finding) { f.Event.Timestamp = time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC) }},
		"long organization":   {"Finding.OrganizationID", func(f *monitor.Finding) { f.OrganizationID = long[:monitor.MaxOrganizationSize+1] }},
		"NUL":                 {"Finding.OrganizationID", func(f *monitor.Finding) { f.OrganizationID = "a\x00" }},
		"not UTF-8":           {"Finding.OrganizationID", func(f *monitor.Finding) { f.OrganizationID = "a\xff" }},
		"the operator's":      {"Finding.OrganizationID", func(f *monitor.Finding) { f.OrganizationID = "operator" }},
		"severity":            {"Finding.Severity", func(f *monitor.Finding) { f.Severity = 99 }},
		"long rule":           {"Finding.Rule", func(f *monitor.Finding) { f.Rule = long }},
		"long key":            {"Finding.Key", func(f *monitor.Finding) { f.Key = long }},
		"long key field":      {"Finding.KeyField", func(f *monitor.Finding) { f.KeyField = long }},
		"long ID":             {"Finding.Event.ID", func(f *monitor.Finding) { f.Event.ID = long }},
		"long technique":      {"Finding.Technique", func(f *monitor.Finding) { f.Technique = long }},
		"long detail":         {"Finding.Detail", func(f *monitor.Finding) { f.Detail = long }},
		"completed by":        {"Finding.CompletedBy.Timestamp", func(f *monitor.Finding) { f.CompletedBy.Timestamp = time.Unix(1<<40, 0) }},
		"reference":           {"Finding.References.Timestamp", func(f *monitor.Finding) { f.References = []monitor.EventRef{{Timestamp: time.Unix(1<<40, 0)}} }},
		"ID in the reference": {"Finding.References.ID", func(f *monitor.Finding) { f.References = []monitor.EventRef{{ID: long}} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, process := range map[string]func(m *monitor.Monitor, es []*monitor.Event){
				"Process": func(m *monitor.Monitor, es []*monitor.Event) {
					for _, e := range es {
						r, err := m.Process(t.Context(), e)
						check.Equal(t, "state", r.State, monitor.StateDone)
						check.Equal(t, "failed", errors.Is(err, monitor.ErrPermanent), e.ID == "bad")
					}
				},
				"ProcessBatch": func(m *monitor.Monitor, es []*monitor.Event) {
					rs, err := m.ProcessBatch(t.Context(), deliveries(es...))
					check.Equal(t, "failed", errors.Is(err, monitor.ErrPermanent), true)
					for i, r := range rs {
						check.Equal(t, "state", r.State, monitor.StateDone)
						check.Equal(t, "failed", r.Err != nil, es[i].ID == "bad")
					}
				},
				"Submit": func(m *monitor.Monitor, es []*monitor.Event) {
					for _, e := range es {
						check.NoError(t, "submit", m.Submit(t.Context(), e))
					}
					check.NoError(t, "shutdown", m.Shutdown(t.Context()))
				},
			} {
				var log bytes.Buffer
				counts := &counters{}
				alerts, err := alerting.NewManager(memalerts.New(nil), nil)
				check.NoError(t, "manager", err)
				s := &passed{AlertStorer: alerts}
				m := newMonitor(t, func(cfg *monitor.Config) {
					cfg.Detectors = []monitor.Detector{&spoiler{spoil: c.spoil}, &detector{name: "other"}}
					cfg.Alerts, cfg.Metrics, cfg.Logger = s, counts, slog.New(slog.NewTextHandler(&log, nil))
				})
				process(m, []*monitor.Event{newEvent("a", 0), newEvent("bad", 0), newEvent("b", 0)})
				slices.Sort(s.ids)
				check.Equal(t, way+": passed to the store", list(s.ids), "[a other a spoiler b other b spoiler bad other]")
				check.Equal(t, way+": refused", counts.get("occurrences_refused"), 1)
				check.Equal(t, way+": repeats and new alerts", counts.get("alerts_created")+counts.get("alerts_repeated"), 5)
				for _, text := range []string{c.field, "bad"} {
					if name != "long rule" && name != "long ID" && !strings.Contains(log.String(), text) {
						t.Errorf("%s: the log has no %q", way, text)
					}
				}
			}
		})
	}
}

// spoiler is a detector whose findings about the event "bad" are spoiled.
type spoiler struct{ spoil func(f *monitor.Finding) }

func (*spoiler) Name() string { return "spoiler" }

func (d *spoiler) Detect(ctx context.Context, e *monitor.Event, r *monitor.Reporter) error {
	own := monitor.NewReporter(*r.Arrival())
	if err := (&detector{name: "spoiler"}).Detect(ctx, e, own); err != nil {
		return err
	}
	f := own.Findings()[0]
	if e.ID == "bad" {
		d.spoil(&f)
	}
	r.Report(f)
	return nil
}

// passed notes what is passed to a store.
type passed struct {
	monitor.AlertStorer

	ids []string
}

func (p *passed) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	for _, o := range os {
		p.ids = append(p.ids, o.Finding.Event.ID+" "+o.Finding.Rule)
	}
	return p.AlertStorer.StoreOccurrences(ctx, os)
}

// TestReasonOfAVerifier has a verifier whose error is long and not text.
func TestReasonOfAVerifier(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) {
		c.AllowUnverified = false
		c.Verifier = monitor.VerifierFunc(func(context.Context, *monitor.Event) monitor.Verification {
			return monitor.Verification{Decision: monitor.DecisionFail, Err: errors.New("\xff" + strings.Repeat("x", 1<<20))}
		})
	})
	detail := process(t, m, newEvent("", 0)).Findings[0].Detail
	check.Equal(t, "UTF-8", utf8.ValidString(detail), true)
	if len(detail) > 2000 {
		t.Errorf("a detail of %d bytes", len(detail))
	}
}

// TestMisusedReporters has a host's detector do to the slices of its call what it
// should not. Nobody else notices.
func TestMisusedReporters(t *testing.T) {
	t.Parallel()
	for name, misuse := range map[string]func(es []*monitor.Event, rs []*monitor.Reporter){
		"beyond the end": func(es []*monitor.Event, rs []*monitor.Reporter) { rs[len(es)].Report(monitor.Finding{}) },
		"before it":      func(_ []*monitor.Event, rs []*monitor.Reporter) { rs[len(rs)-1-len(rs)].Report(monitor.Finding{}) },
		"reversed": func(es []*monitor.Event, rs []*monitor.Reporter) {
			slices.Reverse(es)
			slices.Reverse(rs)
		},
		"cleared": func(es []*monitor.Event, rs []*monitor.Reporter) {
			clear(es)
			clear(rs)
		},
		"appended to": func(es []*monitor.Event, rs []*monitor.Reporter) {
			_ = append(es[:1], newEvent("x", 0), newEvent("y", 0))
			_ = append(rs, monitor.NewReporter(monitor.Arrival{}))
		},
		"none": func(_ []*monitor.Event, _ []*monitor.Reporter) { var r *monitor.Reporter; r.Report(monitor.Finding{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMonitor(t, func(c *monitor.Config) {
				c.Detectors = []monitor.Detector{newHost(misuse), &detector{name: "other"}}
			})
			for round := range 3 {
				var es []*monitor.Event
				for i := range 5 {
					es = append(es, newEvent(list(round, "-", i), 0))
				}
				ids := slices.Clone(es)
				rs, err := m.ProcessBatch(t.Context(), deliveries(es...))
				check.NoError(t, "batch", err)
				for i, r := range rs {
					var rules []string
					for _, f := range r.Findings {
						check.Equal(t, "event", f.Event.ID, ids[i].ID)
						rules = append(rules, f.Rule)
					}
					check.Equal(t, "rules", list(rules), "[host other]")
				}
			}
		})
	}
}

// TestEventsAreCountedOnceDespitePanics has a batch detector panic after it has
// judged events, whose windows hold them then: the engine, and a host's detector
// that goes by the sequence number, as the contract says.
func TestEventsAreCountedOnceDespitePanics(t *testing.T) {
	t.Parallel()
	engine, err := detect.New(&detect.Options{Rules: []detect.Rule{
		{Name: "count", Match: anything, Threshold: 4, Window: time.Hour},
		{Name: "distinct", Match: anything, Threshold: 4, Window: time.Hour, Distinct: func(e *monitor.Event) string { return e.ID }},
		{Name: "sequence", Window: time.Hour, Sequence: []detect.Step{{Match: anything, Count: 3}, {Match: anything}}},
	}})
	check.NoError(t, "engine", err)
	for name, inner := range map[string]monitor.BatchDetector{"engine": engine, "host": &counter{seen: map[uint64]int{}}} {
		for _, judged := range []int{0, 1, 3, 6} { // events that are judged before the panic
			m := newMonitor(t, func(c *monitor.Config) {
				c.Detectors = []monitor.Detector{&fragile{BatchDetector: inner, judged: judged}}
			})
			var es []*monitor.Event
			for i := range 6 {
				e := newEvent(list(judged, "-", i), time.Duration(i)*time.Second)
				e.PrincipalID = list("user-", judged)
				es = append(es, e)
			}
			rs, err := m.ProcessBatch(t.Context(), deliveries(es...))
			check.NoError(t, name, err)
			for i, r := range rs {
				for _, f := range r.Findings {
					if f.Rule != "sequence" {
						check.Equal(t, list(name, ": count of ", f.Rule, " with ", judged, " judged before"), f.Count, i+1)
					}
					check.Equal(t, name+": event", f.Event.ID, es[i].ID)
				}
				if name == "engine" {
					want := 0
					if i >= 3 {
						want = 3
					}
					check.Equal(t, list("findings in event ", i, " with ", judged, " judged before"), len(r.Findings), want)
				}
			}
		}
	}
}

// fragile panics in each batch when it has judged some events of it.
type fragile struct {
	monitor.BatchDetector

	judged int
}

func (d *fragile) DetectBatch(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	if err := d.BatchDetector.DetectBatch(ctx, es[:d.judged], rs[:d.judged]); err != nil {
		return err
	}
	panic("boom")
}

// counter counts the events of a principal, each once.
type counter struct {
	mu   sync.Mutex
	seen map[uint64]int // sequence -> count
	byID map[string]int // principal -> events
}

func (*counter) Name() string { return "counter" }

func (d *counter) Detect(_ context.Context, e *monitor.Event, r *monitor.Reporter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byID == nil {
		d.byID = map[string]int{}
	}
	number := r.Arrival().Sequence
	if _, counted := d.seen[number]; !counted || !r.Arrival().Repeated {
		d.byID[e.PrincipalID]++
		d.seen[number] = d.byID[e.PrincipalID]
	}
	r.Report(monitor.Finding{
		Rule: "counter", Key: e.PrincipalID, Count: d.seen[number],
		Event: monitor.EventRef{ID: e.ID, Timestamp: e.Timestamp, Sequence: number},
	})
	return nil
}

func (d *counter) DetectBatch(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	for i, e := range es {
		if err := d.Detect(ctx, e, rs[i]); err != nil {
			return err
		}
	}
	return nil
}
