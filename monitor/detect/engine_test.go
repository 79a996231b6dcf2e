package detect_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func TestDetector(t *testing.T) {
	t.Parallel()
	monitortest.RunDetector(t, monitortest.DetectorHarness{
		New: func(t *testing.T) monitor.Detector { return newTrail(t, nil).engine },
	})
}

func TestDetectorOfEveryKind(t *testing.T) {
	t.Parallel()
	monitortest.RunDetector(t, monitortest.DetectorHarness{
		New: func(t *testing.T) monitor.Detector {
			return newTrail(t, &detect.Options{Rules: mixedRules()}).engine
		},
		Events: func() []*monitor.Event { return randomEvents(rand.New(rand.NewPCG(1, 2)), 300) },
	})
}

// halfway panics in the middle of its first batch.
type halfway struct {
	*detect.Engine
	panicked bool
}

func (d *halfway) DetectBatch(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	n := len(es) / 2
	if err := d.Engine.DetectBatch(ctx, es[:n], rs[:n]); err != nil {
		return err
	}
	if !d.panicked {
		d.panicked = true
		panic("halfway")
	}
	return d.Engine.DetectBatch(ctx, es[n:], rs[n:])
}

// TestPanicInBatch has a batch handed over again, of which the engine has judged
// a half: no event counts twice, and what qualifies is found.
func TestPanicInBatch(t *testing.T) {
	t.Parallel()
	d := &halfway{Engine: newTrail(t, &detect.Options{Rules: mixedRules()}).engine}
	m, err := monitor.New(monitor.Config{
		AllowUnverified: true, Detectors: []monitor.Detector{d}, MaxSkew: -1, Lateness: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	es := randomEvents(rand.New(rand.NewPCG(5, 6)), 400)
	var deliveries []monitor.Delivery
	for i, e := range es {
		e.Timestamp = e.Timestamp.Add(time.Duration(i)) // no two at the same time
		deliveries = append(deliveries, monitor.Delivery{Event: e})
	}
	rs, err := m.ProcessBatch(t.Context(), deliveries)
	if err != nil {
		t.Fatal(err)
	}
	one := newTrail(t, &detect.Options{Rules: mixedRules()})
	one.lateness = time.Second
	got, want := map[string]bool{}, map[string]bool{}
	for i, e := range es {
		for _, f := range rs[i].Findings {
			got[f.Rule+" "+f.Event.ID+" "+count(f)] = true
		}
		for _, f := range one.add(e) {
			want[f.Rule+" "+f.Event.ID+" "+count(f)] = true
		}
	}
	if !reflect.DeepEqual(got, want) || len(want) < 100 {
		t.Errorf("%d findings, want %d", len(got), len(want))
	}
	if got, want := d.Stats(), one.engine.Stats(); !reflect.DeepEqual(got, want) {
		t.Errorf("holds %+v, want %+v", got, want)
	}
}

// TestRepeated tells an event that was counted before from another one at the
// same time.
func TestRepeated(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{Rules: []detect.Rule{{Name: "r", Match: any1, Threshold: 2, Window: time.Minute}}})
	e := at(0, "x", "u")
	a := tr.arrival(e)
	a.Repeated = true
	for range 3 {
		wantLines(t, detectOne(tr.engine, e, a))
	}
	a.Sequence++
	for range 2 {
		wantLines(t, detectOne(tr.engine, e, a), "r org-1/u 2 +0s")
	}
	if s := tr.engine.Stats()[0]; s.Events != 2 {
		t.Errorf("%+v, want two events", s)
	}
}

// TestBatch compares one call with one call for each event.
func TestBatch(t *testing.T) {
	t.Parallel()
	es := randomEvents(rand.New(rand.NewPCG(3, 4)), 500)
	one := newTrail(t, &detect.Options{Rules: mixedRules()})
	many := newTrail(t, &detect.Options{Rules: mixedRules()})
	var arrivals []monitor.Arrival
	for _, e := range es {
		arrivals = append(arrivals, many.arrival(e))
	}
	rs := reporters(arrivals)
	if err := many.engine.DetectBatch(context.Background(), es, rs); err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, e := range es {
		want := one.add(e)
		n += len(want)
		if !reflect.DeepEqual(rs[i].Findings(), want) {
			t.Fatalf("event %d:\n got %q\nwant %q", i, lines(rs[i].Findings()), lines(want))
		}
	}
	if n == 0 {
		t.Error("nothing was found")
	}
}

// TestConcurrent counts the events of many goroutines, while the rules are
// swapped: none is lost or counted twice.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	options := &detect.Options{MaxEventsPerKey: -1, Rules: []detect.Rule{
		{Name: "count", Match: any1, GroupBy: detect.ByOrganization, Threshold: 2, Window: time.Hour},
		{Name: "values", Match: any1, Distinct: target, Threshold: 2, Window: time.Hour},
	}}
	engine := newTrail(t, options).engine
	const goroutines, each = 8, 300
	found := make([]int, goroutines)
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 5))
			for i := range each {
				e := at(time.Duration(random.IntN(1000))*time.Millisecond, "x", "u")
				e.TargetResourceID = "same"
				found[g] += len(detectOne(engine, e, monitor.Arrival{
					OrganizationID: "org-1", Sequence: uint64(g*each + i + 1),
					Watermark: noon.Add(time.Second), Lateness: time.Minute,
				}))
				if i%100 == 0 {
					if err := engine.Swap(options); err != nil {
						t.Error(err)
					}
					engine.Explain(e, monitor.Arrival{OrganizationID: "org-1"})
					engine.Stats()
				}
			}
		})
	}
	group.Wait()
	total := 0
	for _, n := range found {
		total += n
	}
	// All but the first in the order of time qualify for count, none for values.
	if want := goroutines*each - 1; total != want {
		t.Errorf("%d findings, want %d", total, want)
	}
	for _, s := range engine.Stats() {
		if s.Keys != 1 || s.Events != goroutines*each {
			t.Errorf("%+v, want one group with all %d events", s, goroutines*each)
		}
	}
}

// TestPanic shows that the panic of a rule is reported and concerns no other.
func TestPanic(t *testing.T) {
	t.Parallel()
	engine := newTrail(t, &detect.Options{Rules: []detect.Rule{
		{Name: "before", Match: any1, Threshold: 1, Window: time.Hour},
		{Name: "broken", Match: func(*monitor.Event) bool { panic(monitor.ErrConflict) }},
		{Name: "after", Match: any1, Threshold: 1, Window: time.Hour},
		{Name: "last", Match: func(*monitor.Event) bool { panic("last") }},
	}}).engine
	r := monitor.NewReporter(monitor.Arrival{OrganizationID: "org-1"})
	if err := engine.Detect(context.Background(), at(0, "x", "u"), r); err != nil {
		t.Error(err)
	}
	wantLines(t, r.Findings(), "before org-1/u 1 +0s", "after org-1/u 1 +0s")
	failure := r.Failure()
	var p *monitor.PanicError
	if !errors.As(failure, &p) || p.Where != "rule broken" || len(p.Stack) == 0 ||
		!errors.Is(failure, monitor.ErrConflict) || !strings.Contains(failure.Error(), "rule last") {
		t.Errorf("failure: %v", failure)
	}
}

func TestSwap(t *testing.T) {
	t.Parallel()
	rule := func(name string) detect.Rule {
		return detect.Rule{Name: name, Version: "1", Match: any1, Threshold: 3, Window: time.Minute}
	}
	steps := func(n int) []detect.Step { return []detect.Step{{Match: action("x"), Count: n}} }
	tests := []struct {
		name   string
		before detect.Rule
		change func(r *detect.Rule)
		want   []string // findings on the third event
	}{
		{"nothing", rule("r"), func(*detect.Rule) {}, []string{"r org-1/u 3 +2s"}},
		{"threshold", rule("r"), func(r *detect.Rule) { r.Threshold = 2 }, []string{"r org-1/u 3 +2s"}},
		{"longer window", rule("r"), func(r *detect.Rule) { r.Window = time.Hour }, []string{"r org-1/u 3 +2s"}},
		{"shorter window", rule("r"), func(r *detect.Rule) { r.Window, r.Threshold = 2*time.Second, 2 }, []string{"r org-1/u 2 +2s"}},
		{"name", rule("r"), func(r *detect.Rule) { r.Name = "q" }, nil},
		{"version", rule("r"), func(r *detect.Rule) { r.Version = "2" }, nil},
		{"kind", rule("r"), func(r *detect.Rule) { r.Distinct = func(*monitor.Event) string { return "a" } }, nil},
		{
			"steps", detect.Rule{Name: "r", Window: time.Minute, Sequence: steps(3)},
			func(r *detect.Rule) { r.Sequence = steps(2) }, nil,
		},
		{
			"window of a sequence", detect.Rule{Name: "r", Window: time.Minute, Sequence: steps(3)},
			func(r *detect.Rule) { r.Window = time.Hour }, []string{"r org-1/u 1 +2s"},
		},
		{
			"window of values", detect.Rule{Name: "r", Match: any1, Distinct: target, Threshold: 3, Window: time.Minute},
			func(r *detect.Rule) { r.Window, r.Threshold = 2*time.Second, 2 }, []string{"r org-1/u 2 +2s"},
		},
	}
	for _, test := range tests {
		event := func(second int) *monitor.Event {
			e := at(time.Duration(second)*time.Second, "x", "u")
			e.TargetResourceID = string(rune('a' + second))
			return e
		}
		tr := newTrail(t, &detect.Options{Rules: []detect.Rule{test.before}})
		tr.add(event(0), event(1))
		after := test.before
		test.change(&after)
		// An override shares the windows of the rule that it changes.
		if err := tr.engine.Swap(&detect.Options{
			Rules:     []detect.Rule{after},
			Overrides: map[string]detect.Override{"org-1": {}},
		}); err != nil {
			t.Fatal(err)
		}
		t.Run(test.name, func(t *testing.T) { wantLines(t, tr.add(event(2)), test.want...) })
	}
	tr := newTrail(t, &detect.Options{Rules: []detect.Rule{rule("r")}})
	if err := tr.engine.Swap(nil); err != nil {
		t.Fatal(err)
	}
	if stats := tr.engine.Stats(); len(stats) != 5 || stats[0].Rule != "failed_auth" {
		t.Errorf("nil options: %+v", stats)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	fail := func(after time.Duration) *monitor.Event { return loginFailure(after, "u") }
	rules := []detect.Rule{
		{Name: "count", Match: any1, Threshold: 3, Window: time.Minute},
		{Name: "values", Match: any1, Distinct: func(e *monitor.Event) string { return e.Timestamp.String() }, Threshold: 3, Window: time.Minute},
		{Name: "steps", Window: time.Minute, Sequence: []detect.Step{{Match: any1, Count: 2}, {Match: any1}}},
		{Name: "anyone", Match: any1},
		{Name: "nothing", Match: func(*monitor.Event) bool { return false }},
		{Name: "excepted", Match: any1, Exceptions: detect.Exceptions{Principals: []string{"u"}}},
		{Name: "disabled", Match: any1},
	}
	tr := newTrail(t, &detect.Options{Rules: rules, SkipAnonymous: true, Overrides: map[string]detect.Override{
		"org-1": {Rules: map[string]detect.RuleOverride{"disabled": {Disabled: true}}},
	}})
	explain := func(e *monitor.Event, a monitor.Arrival, want ...string) {
		t.Helper()
		a.OrganizationID = "org-1"
		for i, x := range tr.engine.Explain(e, a) {
			if i < len(want) && x.String() != want[i] {
				t.Errorf("got  %s\nwant %s", x, want[i])
			}
		}
	}
	tr.add(fail(0), fail(time.Second))
	fired := []string{
		`count: fired, 3 of 3 in 1m0s for principalId "u"`,
		`values: fired, 3 of 3 in 1m0s for principalId "u"`,
		`steps: fired, 2 of 2 in 1m0s for principalId "u"`,
		`anyone: fired for principalId "u"`,
		`nothing: does not match`,
		`excepted: is excepted by principalId`,
		`disabled: is disabled for the organization`,
	}
	below := []string{
		`count: below, 2 of 3 in 1m0s for principalId "u"`,
		`values: below, 2 of 3 in 1m0s for principalId "u"`,
		`steps: below, 1 of 2 in 1m0s for principalId "u"`,
	}
	for range 2 { // nothing changes by asking
		explain(fail(2*time.Second), monitor.Arrival{Sequence: 3}, fired...)
	}
	tr.add(fail(2 * time.Second))
	explain(fail(2*time.Second), monitor.Arrival{Sequence: 3}, fired...)
	explain(fail(time.Second), monitor.Arrival{Sequence: 2}, below...)
	explain(fail(61*time.Second), monitor.Arrival{Sequence: 4}, below...)
	explain(loginFailure(0, "new"), monitor.Arrival{Sequence: 4}, `count: below, 1 of 3 in 1m0s for principalId "new"`)
	explain(loginFailure(0, ""), monitor.Arrival{}, `count: skips events that name nobody`)
	explain(fail(0), monitor.Arrival{Timing: monitor.TimingTooLate}, `count: is not counted, being too_late`)
	explain(fail(3*time.Second), monitor.Arrival{Verified: true},
		`count: fired, 4 of 3 in 1m0s for principalId "u"`, "values: fired, 4 of 3 in 1m0s for principalId \"u\"",
		fired[2], fired[3], fired[4],
		`excepted: fired for principalId "u"; an exception was ignored, as no signature covers principalId`)
	wantLines(t, tr.add(loginFailure(3*time.Second, "x")), "anyone org-1/x 1 +3s", "excepted org-1/x 1 +3s")
	capped := newTrail(t, &detect.Options{MaxEventsPerKey: 3, Rules: rules[:1]})
	capped.add(fail(0), fail(0), fail(0), fail(0))
	x := capped.engine.Explain(fail(0), monitor.Arrival{OrganizationID: "org-1", Sequence: 4})
	if want := `count: fired, at least 3 of 3 in 1m0s for principalId "u"`; x[0].String() != want {
		t.Errorf("got %s, want %s", x[0], want)
	}
	// Nobody knows what a group had before it was evicted.
	evicting := newTrail(t, &detect.Options{MaxKeys: 1, Rules: rules[:1]})
	evicting.add(fail(0), loginFailure(0, "v"))
	x = evicting.engine.Explain(fail(0), monitor.Arrival{OrganizationID: "org-1", Sequence: 3})
	if want := `count: below, at least 1 of 3 in 1m0s for principalId "u"`; x[0].String() != want {
		t.Errorf("got %s, want %s", x[0], want)
	}
	if s := detect.Judgment(99).String(); s != "unknown" {
		t.Errorf("outcome 99 is %q", s)
	}
}
