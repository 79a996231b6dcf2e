package detect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func TestSharedDetector(t *testing.T) {
	t.Parallel()
	monitortest.RunDetector(t, monitortest.DetectorHarness{
		New: func(t *testing.T) monitor.Detector {
			return newTrail(t, &detect.Options{Rules: mixedRules(), Windows: &monitortest.MemoryWindows{}}).engine
		},
		Events: func() []*monitor.Event { return randomEvents(rand.New(rand.NewPCG(1, 2)), 300) },
	})
}

func TestWindows(t *testing.T) {
	t.Parallel()
	monitortest.RunWindows(t, func(*testing.T) detect.Windows { return &monitortest.MemoryWindows{} })
}

// countTo returns options with a rule for three logins in a minute, and one for
// every login, and the windows they are in.
func countTo(windows detect.Windows) *detect.Options {
	return &detect.Options{Windows: windows, Rules: []detect.Rule{
		{Name: "count", Match: action("login"), Threshold: 3, Window: time.Minute},
		{Name: "each", Match: action("login")},
	}}
}

func named(id string, e *monitor.Event) *monitor.Event {
	e.ID = id
	return e
}

// TestSharedFindings looks at all of a finding.
func TestSharedFindings(t *testing.T) {
	t.Parallel()
	windows := &monitortest.MemoryWindows{}
	here, there := newTrail(t, countTo(windows)), newTrail(t, countTo(windows))
	here.sequence = 100
	there.add(named("a", at(0, "login", "u")), at(2*time.Second, "login", "u"))
	found := here.add(named("b", at(time.Second, "login", "u")))
	if len(found) != 2 || found[0].Rule != "count" || found[1].Rule != "each" {
		t.Fatalf("found %q, want one of each rule, in their order", lines(found))
	}
	f := found[0]
	if f.Event.ID != "" || f.Event.Sequence < 1<<63 || f.CompletedBy.ID != "b" || f.CompletedBy.Sequence != 101 {
		t.Errorf("event %+v completed by %+v", f.Event, f.CompletedBy)
	}
	ids := []string{}
	for _, ref := range f.References {
		ids = append(ids, ref.ID)
	}
	if !slices.Equal(ids, []string{"a", "b", ""}) || f.References[2] != f.Event {
		t.Errorf("references %+v", f.References)
	}
	wantLines(t, found, "count org-1/u 3 +2s by +1s", "each org-1/u 1 +1s")
}

// TestSharedWindow looks at what the engine asks of windows.
func TestSharedWindow(t *testing.T) {
	t.Parallel()
	asked := &log{keeping: true}
	o := countTo(asked)
	o.Rules = append(o.Rules, detect.Rule{Name: "values", Match: any1, Distinct: target, Threshold: 2, Window: time.Hour})
	e := named("a", at(0, "login", "u"))
	e.TargetResourceID = "r"
	long := named("b-"+strings.Repeat("x", 100), at(time.Second, "login", "u"))
	long.TargetResourceID = "r"
	arrivals := []monitor.Arrival{
		{OrganizationID: "org-1", Sequence: 1, Watermark: noon.Add(10 * time.Second), Lateness: 15 * time.Second},
		{OrganizationID: "org-1", Sequence: 2, Watermark: noon.Add(20 * time.Second), Lateness: 15 * time.Second},
	}
	rs := reporters(arrivals)
	if err := newTrail(t, o).engine.DetectBatch(t.Context(), []*monitor.Event{e, long}, rs); err != nil {
		t.Fatal(err)
	}
	if len(asked.kept) != 2 || asked.kept[0].ID == asked.kept[1].ID || len(asked.kept[0].ID) != 32 {
		t.Fatalf("asked for %d windows, want two with IDs of their own", len(asked.kept))
	}
	for i, want := range []detect.WindowRequest{
		{Rule: "count", Span: time.Minute, Tail: 10, Keep: 90 * time.Second, Horizon: noon.Add(-80 * time.Second).UnixNano()},
		{Rule: "values", Span: time.Hour, Keep: time.Hour + 30*time.Second, Horizon: noon.Add(-time.Hour - 20*time.Second).UnixNano()},
	} {
		q := asked.kept[i]
		if q.Span != want.Span || q.Tail != want.Tail || q.Keep != want.Keep || q.Horizon != want.Horizon || q.Limit != 1024 {
			t.Errorf("asked for span %v, tail %d, %v to keep, horizon %v, limit %d, want %+v", q.Span, q.Tail, q.Keep, time.Unix(0, q.Horizon).UTC(), q.Limit, want)
		}
		if q.Rule != want.Rule || q.OrganizationID != "org-1" || q.Group != "u" {
			t.Errorf("asked for the window of rule %q, organization %q, group %q", q.Rule, q.OrganizationID, q.Group)
		}
		if len(q.Events) != 2 || q.Events[0].Key != monitor.EventKeyOf("org-1", "a") || q.Events[0].ID != "a" || q.Events[1].ID != "" ||
			q.Events[0].Timestamp != noon.UnixNano() || (q.Events[0].Mark != 0) != (i == 1) ||
			q.Events[1].Sequence != 2 || q.Events[1].KeyField != "principalId" {
			t.Errorf("new events %+v", q.Events)
		}
	}
}

// TestSharedRetry hands over events again after their exchange failed, with and
// without its having been carried out.
func TestSharedRetry(t *testing.T) {
	t.Parallel()
	cut := errors.New("reply lost")
	windows := &monitortest.MemoryWindows{}
	tr := newTrail(t, countTo(windows))
	tr.add(named("1", at(0, "login", "u")), named("2", at(time.Second, "login", "u")), named("4", at(9*time.Second, "login", "u")))
	late := named("3", at(2*time.Second, "login", "u"))
	a := tr.arrival(late)
	r := monitor.NewReporter(a)
	windows.Fail = func() error { return cut }
	if err := tr.engine.Detect(t.Context(), late, r); !errors.Is(err, cut) || len(r.Findings()) != 0 {
		t.Errorf("error %v with findings %q, want %v", err, lines(r.Findings()), cut)
	}
	windows.Fail = nil
	for range 2 {
		wantLines(t, detectOne(tr.engine, late, a),
			"count org-1/u 3 +2s", "count org-1/u 4 +9s by +2s", "each org-1/u 1 +2s")
	}
	wantLines(t, tr.add(named("5", at(10*time.Second, "login", "u"))), "count org-1/u 5 +10s", "each org-1/u 1 +10s")
}

// TestSharedTwins has one event several times, in a call and in another; one
// without ID is another event each time.
func TestSharedTwins(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, countTo(&monitortest.MemoryWindows{}))
	e := named("1", at(0, "login", "u"))
	es := []*monitor.Event{e, e, named("2", at(0, "login", "u")), e}
	var arrivals []monitor.Arrival
	for _, e := range es {
		arrivals = append(arrivals, tr.arrival(e))
	}
	rs := reporters(arrivals)
	if err := tr.engine.DetectBatch(t.Context(), es, rs); err != nil {
		t.Fatal(err)
	}
	for i := range es {
		wantLines(t, rs[i].Findings(), "each org-1/u 1 +0s")
	}
	anonymous := at(0, "login", "u")
	wantLines(t, tr.add(anonymous), "count org-1/u 3 +0s", "each org-1/u 1 +0s")
	// What its first report would have found may have got lost.
	wantLines(t, tr.add(e), "count org-1/u 3 +0s by +0s", "each org-1/u 1 +0s")
	wantLines(t, tr.add(anonymous), "count org-1/u 4 +0s", "each org-1/u 1 +0s")
}

// A log keeps windows to itself until they are released.
type log struct {
	monitortest.MemoryWindows
	kept    []*detect.WindowRequest
	keeping bool
}

func (l *log) Exchange(ctx context.Context, requests []*detect.WindowRequest) ([]detect.WindowAnswer, error) {
	if l.keeping {
		l.kept = append(l.kept, requests...)
		answers := make([]detect.WindowAnswer, len(requests))
		for i, q := range requests {
			answers[i] = detect.WindowAnswer{Request: q, Lost: math.MinInt64}
		}
		return answers, nil
	}
	earlier, err := l.MemoryWindows.Exchange(ctx, l.kept)
	if err != nil {
		return nil, err
	}
	l.kept = nil
	answers, err := l.MemoryWindows.Exchange(ctx, requests)
	return append(answers, earlier...), err
}

// TestSharedLater exchanges windows only in a later call, for rules of every
// kind: what was missed is found then, on whatever event.
func TestSharedLater(t *testing.T) {
	t.Parallel()
	es := randomEvents(rand.New(rand.NewPCG(7, 8)), 300)
	for i, e := range es { // no two at the same time, so that none ranks by arrival
		e.Timestamp = e.Timestamp.Add(time.Duration(i))
	}
	want := map[string]bool{}
	for _, f := range newTrail(t, &detect.Options{Rules: mixedRules()}).add(es...) {
		want[f.Rule+f.Event.ID] = true
	}
	windows := &log{}
	here := newTrail(t, &detect.Options{Rules: mixedRules(), Windows: windows})
	there := newTrail(t, &detect.Options{Rules: mixedRules(), Windows: &windows.MemoryWindows})
	there.watermarks = here.watermarks // as if all arrived in one place
	got := map[string]bool{}
	for i, e := range es {
		tr := []*trail{here, there}[i%2]
		windows.keeping = i > 50 && i < 280
		for _, f := range tr.add(e) {
			if f.OrganizationID == "" || !want[f.Rule+f.Event.ID] {
				t.Errorf("%s qualifies for %s", f.Event.ID, f.Rule)
			}
			got[f.Rule+f.Event.ID] = true
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%d qualify, want %d", len(got), len(want))
	}
}

// answering are windows that answer as they are told.
type answering func(requests []*detect.WindowRequest) []detect.WindowAnswer

func (a answering) Exchange(_ context.Context, requests []*detect.WindowRequest) ([]detect.WindowAnswer, error) {
	return a(requests), nil
}

// TestSharedBadAnswers has windows whose answers do not fit the requests.
func TestSharedBadAnswers(t *testing.T) {
	t.Parallel()
	for want, windows := range map[string]answering{
		"0 answers to 1 requests": func([]*detect.WindowRequest) []detect.WindowAnswer { return nil },
		"hidden events are told for 2 of 1": func(qs []*detect.WindowRequest) []detect.WindowAnswer {
			return []detect.WindowAnswer{{Request: qs[0], Hidden: []int{1, 2}}}
		},
	} {
		tr := newTrail(t, countTo(windows))
		e := at(0, "login", "u")
		err := tr.engine.Detect(t.Context(), e, monitor.NewReporter(tr.arrival(e)))
		if err == nil || err.Error() != "detect: exchange windows: "+want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestSharedEarlierRules gets earlier windows of rules that have changed since:
// those that are gone, switched off or count something else find nothing.
func TestSharedEarlierRules(t *testing.T) {
	t.Parallel()
	rule := func(name, version string, threshold int) detect.Rule {
		return detect.Rule{Name: name, Version: version, Match: action("login"), Threshold: threshold, Window: time.Minute}
	}
	windows := &log{keeping: true}
	tr := newTrail(t, &detect.Options{Windows: windows, Rules: []detect.Rule{
		rule("gone", "1", 1), rule("off", "1", 1), rule("other", "1", 1), rule("stays", "1", 3),
	}})
	tr.add(named("a", at(0, "login", "u")), named("b", at(time.Second, "login", "u")), named("c", at(3*time.Second, "login", "v")))
	windows.keeping = false
	err := tr.engine.Swap(&detect.Options{
		Windows: windows, Rules: []detect.Rule{rule("off", "1", 1), rule("other", "2", 1), rule("stays", "1", 2)},
		Overrides: map[string]detect.Override{"org-1": {Rules: map[string]detect.RuleOverride{"off": {Disabled: true}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, tr.add(named("d", at(2*time.Second, "login", "w"))), "stays org-1/u 2 +1s", "other org-1/w 1 +2s")
}

// TestSharedSwap changes where the windows are.
func TestSharedSwap(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, countTo(nil))
	tr.add(at(0, "login", "u"), at(0, "login", "u"))
	if err := tr.engine.Swap(countTo(&monitortest.MemoryWindows{})); err != nil {
		t.Fatal(err)
	}
	wantLines(t, tr.add(at(0, "login", "u")), "each org-1/u 1 +0s")
	if err := tr.engine.Swap(countTo(nil)); err != nil {
		t.Fatal(err)
	}
	wantLines(t, tr.add(at(0, "login", "u")), "count org-1/u 3 +0s", "each org-1/u 1 +0s")
}

// TestSharedRestore restores a snapshot into an engine whose windows are shared:
// they stay so.
func TestSharedRestore(t *testing.T) {
	t.Parallel()
	windows := &monitortest.MemoryWindows{}
	here, there := newTrail(t, countTo(windows)), newTrail(t, countTo(windows))
	if err := here.engine.Restore(bytes.NewReader(snapshot(t, newTrail(t, countTo(nil)).engine))); err != nil {
		t.Fatal(err)
	}
	there.add(named("a", at(0, "login", "u")), named("b", at(0, "login", "u")))
	wantLines(t, here.add(named("c", at(0, "login", "u"))), "count org-1/u 3 +0s", "each org-1/u 1 +0s")
}

// TestBacktestLeavesWindowsAlone tests rules that are in use.
func TestBacktestLeavesWindowsAlone(t *testing.T) {
	t.Parallel()
	windows := &monitortest.MemoryWindows{Fail: func() error { return errors.New("they are in use") }}
	es := []*monitor.Event{at(0, "login", "u"), at(0, "login", "u"), at(0, "login", "u")}
	o := &detect.BacktestOptions{Rules: countTo(windows)}
	report, err := detect.Backtest(t.Context(), o, slices.Values(es))
	if err != nil || len(report.Findings) != 4 {
		t.Errorf("%d findings, error %v, want 4", len(report.Findings), err)
	}
	if _, err := detect.Compare(t.Context(), nil, countTo(windows), slices.Values(es)); err != nil {
		t.Error(err)
	}
}

type unhealthy struct{ monitortest.MemoryWindows }

func (*unhealthy) Health(context.Context) []monitor.ComponentHealth {
	return []monitor.ComponentHealth{{Name: "windows", Status: monitor.HealthWarning}}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	for want, windows := range map[monitor.ComponentHealth]detect.Windows{
		{Name: "rules"}: nil,
		{Name: "windows", Status: monitor.HealthWarning}: &unhealthy{},
	} {
		if got := newTrail(t, countTo(windows)).engine.Health(t.Context()); !slices.Equal(got, []monitor.ComponentHealth{want}) {
			t.Errorf("health %+v, want %+v", got, want)
		}
	}
}

// TestSharedCountsTruncations counts what a cap costs.
func TestSharedCountsTruncations(t *testing.T) {
	t.Parallel()
	counted := &collector{}
	o := countTo(&monitortest.MemoryWindows{})
	o.MaxEventsPerKey = 4
	engine, err := detect.New(o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := monitor.New(monitor.Config{AllowUnverified: true, Detectors: []monitor.Detector{engine}, Metrics: counted, MaxSkew: -1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if _, err := m.Process(t.Context(), named(fmt.Sprint(i), at(0, "login", "u"))); err != nil {
			t.Fatal(err)
		}
	}
	if n := counted.sum(monitor.StateTruncations, "count"); n != 6 {
		t.Errorf("%d truncations, want 6", n)
	}
}

// TestSharedDeliveries has a queue deliver the same message to two monitors: the
// event, which has no ID, is in the window once.
func TestSharedDeliveries(t *testing.T) {
	t.Parallel()
	windows := &monitortest.MemoryWindows{}
	process := func(delivery string, at time.Duration) []monitor.Finding {
		t.Helper()
		engine, err := detect.New(&detect.Options{Windows: windows, Rules: []detect.Rule{
			{Name: "count", Match: action("login"), Threshold: 3, Window: time.Minute},
		}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := monitor.New(monitor.Config{AllowUnverified: true, MaxSkew: -1, Detectors: []monitor.Detector{engine}})
		if err != nil {
			t.Fatal(err)
		}
		e := monitortest.NewEvent(func(e *monitor.Event) {
			e.ID, e.Action, e.Timestamp = "", "login", e.Timestamp.Add(at)
		})
		results, err := m.ProcessBatch(t.Context(), []monitor.Delivery{{Event: e, ID: delivery}})
		if err != nil {
			t.Fatal(err)
		}
		return results[0].Findings
	}
	for _, again := range []string{"1", "1", "2", "2"} {
		monitortest.WantFindings(t, process(again, 0))
	}
	monitortest.WantFindings(t, process("3", time.Second), "count")
}
