package detect_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// TestMaxEventsPerKey shows what is left when a group has too many events.
func TestMaxEventsPerKey(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxEventsPerKey: 3, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 3, Window: 10 * time.Second},
	}})
	second := func(n int) *monitor.Event { return at(time.Duration(n)*time.Second, "x", "u") }
	wantLines(t, tr.add(second(0), second(1), second(2)), "r org-1/u 3 +2s")
	wantLines(t, tr.add(second(3)), "r org-1/u >=3 +3s") // 4 in fact
	wantLines(t, tr.add(second(4)), "r org-1/u >=3 +4s")
	// What was cut off, the event of 1 s, is out of the window at 11 s.
	wantLines(t, tr.add(second(11), second(12)), "r org-1/u >=3 +11s", "r org-1/u >=3 +12s")
	// A late event older than all that is left is cut off itself.
	wantLines(t, tr.add(second(2)))
	// A late event in between pushes the oldest out.
	wantLines(t, tr.add(second(11)), "r org-1/u >=3 +12s by +11s")
	if s := tr.engine.Stats()[0]; s.Events != 3 || s.Truncations != 6 || s.Evictions != 0 {
		t.Errorf("%+v", s)
	}
	wantLines(t, tr.add(second(30), second(30), second(30)), "r org-1/u 3 +30s")
}

// TestMaxEventsPerKeyOfValues shows that values that were cut off do not count.
func TestMaxEventsPerKeyOfValues(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxEventsPerKey: 3, Rules: []detect.Rule{
		{Name: "r", Match: any1, Distinct: target, Threshold: 3, Window: time.Hour},
	}})
	look := func(second int, patient string) *monitor.Event {
		e := at(time.Duration(second)*time.Second, "x", "u")
		e.TargetResourceID = patient
		return e
	}
	wantLines(t, tr.add(look(0, "a"), look(1, "b"), look(2, "b"), look(3, "c"), look(4, "d")),
		"r org-1/u >=3 +4s") // b, c, d: a was gone when c came
}

// TestExpiry shows that groups that are not needed any more make room without
// being missed.
func TestExpiry(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxKeys: 100, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 2, Window: time.Second},
	}})
	tr.lateness = time.Second
	for i := range 1000 {
		tr.add(at(time.Duration(i)*100*time.Millisecond, "x", fmt.Sprint("user-", i)))
		if s := tr.engine.Stats()[0]; s.Keys > 22 {
			t.Fatalf("after %d: %+v, want those of 2 seconds", i, s)
		}
	}
	if s := tr.engine.Stats()[0]; s.Evictions != 0 {
		t.Errorf("%+v", s)
	}
}

// TestHorizon shows how long an event is kept: as long as one that is as late as
// may be, measured by the watermark, could have it in its window.
func TestHorizon(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		first time.Duration
		held  int
	}{{98 * time.Second, 1}, {98*time.Second + 1, 2}} {
		tr := newTrail(t, &detect.Options{Rules: []detect.Rule{
			{Name: "r", Match: func(e *monitor.Event) bool { return e.PrincipalID == "u" }, Threshold: 3, Window: time.Second},
		}})
		tr.lateness = time.Second
		tr.add(at(test.first, "x", "u"), at(100*time.Second, "x", "other"), at(99500*time.Millisecond, "x", "u"))
		if s := tr.engine.Stats()[0]; s.Events != test.held {
			t.Errorf("an event of +%s: %+v, want %d events", test.first, s, test.held)
		}
	}
	// A group without any such event is none that is evicted.
	for _, test := range []struct {
		second    time.Duration
		evictions int64
	}{{2 * time.Second, 0}, {2*time.Second - 1, 1}} {
		tr := newTrail(t, &detect.Options{MaxKeys: 1, Rules: []detect.Rule{
			{Name: "r", Match: any1, Threshold: 3, Window: time.Second},
		}})
		tr.lateness = time.Second
		tr.add(at(0, "x", "u"), at(test.second, "x", "v"))
		if s := tr.engine.Stats()[0]; s.Evictions != test.evictions || s.Keys != 1 {
			t.Errorf("a group of +0s at +%s: %+v", test.second, s)
		}
	}
}

// TestEarliest counts events at the earliest time that there is.
func TestEarliest(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 2, Window: time.Hour},
	}})
	e := at(0, "x", "u")
	e.Timestamp = time.Unix(0, math.MinInt64+5)
	if found := tr.add(e, e); len(found) != 1 || !found[0].Event.Timestamp.Equal(e.Timestamp) {
		t.Errorf("found %+v", found)
	}
}

// TestMaxKeys shows which group goes when there are too many.
func TestMaxKeys(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxKeys: 3, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 1, Window: time.Hour},
	}})
	add := func(organization, who string, second int) []monitor.Finding {
		e := at(time.Duration(second)*time.Second, "x", who)
		e.OrganizationID = organization
		return tr.add(e)
	}
	add("org-1", "a", 0)
	add("org-1", "b", 1)
	add("org-1", "c", 2)
	wantLines(t, add("org-1", "a", 3), "r org-1/a 2 +3s") // a was touched
	add("org-1", "d", 4)                                  // so b goes
	wantLines(t, add("org-1", "a", 5), "r org-1/a 3 +5s")
	wantLines(t, add("org-1", "c", 6), "r org-1/c 2 +6s")
	// b comes back, for d, which was touched by its first event only: nobody
	// knows how many events b had up to second 1, nor d's up to 4.
	wantLines(t, add("org-1", "b", 7), "r org-1/b >=1 +7s")
	wantLines(t, add("org-1", "b", 3600+4), "r org-1/b 2 +1h0m4s")
	if s := tr.engine.Stats()[0]; s.Keys != 3 || s.Evictions != 2 {
		t.Errorf("%+v", s)
	}
}

// TestMaxKeysSparesTheTouched has more groups in front of the stalest than are
// moved on for each new one.
func TestMaxKeysSparesTheTouched(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxKeys: 6, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 3, Window: time.Hour},
	}})
	for _, who := range []string{"a", "b", "c", "d", "e", "stale", "a", "b", "c", "d", "e", "new"} {
		tr.add(at(0, "x", who))
	}
	for _, who := range []string{"a", "b", "c", "d", "e"} {
		wantLines(t, tr.add(at(0, "x", who)), "r org-1/"+who+" 3 +0s")
	}
}

// TestOneKey has room for one group, which gives way to every other one.
func TestOneKey(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxKeys: 1, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 2, Window: time.Hour},
	}})
	for i := range 6 {
		e := at(0, "x", fmt.Sprint("user-", i/2))
		e.OrganizationID = fmt.Sprint("org-", i/4)
		if found := tr.add(e); len(found) != i%2 {
			t.Errorf("event %d: %q", i, lines(found))
		}
	}
	if s := tr.engine.Stats()[0]; s.Keys != 1 || s.Evictions != 2 {
		t.Errorf("%+v", s)
	}
}

// TestFairShare shows that an organization with many groups cannot push out
// those of others.
func TestFairShare(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxKeys: 30, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 3, Window: time.Hour},
	}})
	add := func(organization, who string) []monitor.Finding {
		e := at(0, "x", who)
		e.OrganizationID = organization
		return tr.add(e)
	}
	for i := range 100 { // alone, it may have everything
		add("flood", fmt.Sprint("a", i))
	}
	if s := tr.engine.Stats()[0]; s.Keys != 30 || s.Evictions != 70 {
		t.Errorf("alone: %+v", s)
	}
	var found []monitor.Finding
	for round := range 3 {
		for i := range 9 {
			for _, small := range []string{"small-1", "small-2"} {
				found = append(found, add(small, fmt.Sprint("user-", i))...)
			}
			for j := range 50 {
				add("flood", fmt.Sprint("b", round, i, j))
			}
		}
	}
	if len(found) != 18 {
		t.Errorf("found %q, want all of the 9 users of both", lines(found))
	}
	// A new organization gets its share from the one that has most.
	for range 3 {
		for i := range 6 {
			found = add("late", fmt.Sprint("user-", i))
		}
	}
	if len(found) != 1 {
		t.Error("the newcomer's groups were pushed out")
	}
	if s := tr.engine.Stats()[0]; s.Keys != 30 {
		t.Errorf("%+v", s)
	}
}

// TestExactShare shows that an organization with just its share loses nothing.
func TestExactShare(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxKeys: 6, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 2, Window: time.Hour},
	}})
	add := func(organization string, users ...string) (found []monitor.Finding) {
		for _, who := range users {
			e := at(0, "x", who)
			e.OrganizationID = organization
			found = append(found, tr.add(e)...)
		}
		return found
	}
	add("share", "a", "b")
	add("more", "a", "b", "c")
	add("less", "a", "b")
	wantLines(t, add("share", "a", "b"), "r share/a 2 +0s", "r share/b 2 +0s")
	wantLines(t, add("less", "a", "b"), "r less/a 2 +0s", "r less/b >=2 +0s")
	wantLines(t, add("more", "b", "c"), "r more/b 2 +0s", "r more/c 2 +0s")
}

// TestManyOrganizations evicts where every organization has one group.
func TestManyOrganizations(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxKeys: 10, Rules: []detect.Rule{
		{Name: "r", Match: any1, GroupBy: detect.ByOrganization, Threshold: 2, Window: time.Hour},
	}})
	for round := range 3 {
		for i := range 100 {
			e := at(time.Duration(round), "x", "u")
			e.OrganizationID = fmt.Sprint("org-", i)
			tr.add(e)
			if s := tr.engine.Stats()[0]; s.Keys > 10 {
				t.Fatalf("%+v", s)
			}
		}
	}
	e := at(4, "x", "u")
	e.OrganizationID = "org-99"
	wantLines(t, tr.add(e), "r org-99/org-99 >=2 +4ns")
}

// liveHeap returns the bytes of everything that is still reachable.
func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestCardinalityAttack sends millions of principals through a rule: memory
// stays flat, and an attacker in another organization is still caught. It
// measures the heap and so is not parallel.
func TestCardinalityAttack(t *testing.T) { //nolint:paralleltest // it measures the heap
	keys := 5_000_000
	if testing.Short() {
		keys = 500_000
	}
	f := newFeed(t, &detect.Options{MaxKeys: 100_000, Rules: detect.Defaults()[:1]}, loginFailure(0, ""), time.Microsecond)
	attacker := loginFailure(0, "attacker")
	attacker.OrganizationID = "org-2"
	var found []monitor.Finding
	var atCap uint64
	for i := range keys {
		f.principal(i)
		f.next(0)
		if i == 200_000 {
			atCap = liveHeap()
		}
		if i%(keys/5) == keys/10 {
			attacker.Timestamp = f.event.Timestamp
			found = append(found, detectOne(f.engine, attacker, monitor.Arrival{
				OrganizationID: "org-2", Watermark: attacker.Timestamp, Lateness: time.Minute,
			})...)
		}
	}
	if grown := int64(liveHeap()) - int64(atCap); grown > 2<<20 {
		t.Errorf("the heap grew by %d bytes at the cap, from %d", grown, atCap)
	}
	if !slices.ContainsFunc(found, func(f monitor.Finding) bool { return f.Key == "attacker" && f.Count == 5 }) {
		t.Errorf("found %q, want the attacker of the other organization", lines(found))
	}
	s := f.engine.Stats()[0]
	if s.Keys > 100_000 || s.Keys < 95_000 || int64(s.Keys)+s.Evictions != int64(keys)+1 {
		t.Errorf("%+v", s)
	}
	runtime.KeepAlive(f)
}

// TestOrganizationChurn shows that nothing stays of organizations that are gone.
// It measures the heap and so is not parallel.
func TestOrganizationChurn(t *testing.T) { //nolint:paralleltest // it measures the heap
	tr := newTrail(t, &detect.Options{MaxKeys: 100, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 2, Window: time.Hour},
	}})
	churn := func(from, to int) {
		e := at(0, "x", "u")
		for i := from; i < to; i++ {
			detectOne(tr.engine, e, monitor.Arrival{OrganizationID: fmt.Sprint("org-", i)})
		}
	}
	churn(0, 1000)
	before := liveHeap()
	churn(1000, 21_000)
	if grown := int64(liveHeap()) - int64(before); grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	runtime.KeepAlive(tr)
}

// TestBytesPerKey pins the memory that a group with 5 events takes. It measures
// the heap and so is not parallel.
func TestBytesPerKey(t *testing.T) { //nolint:paralleltest // it measures the heap
	const keys = 200_000
	f := newFeed(t, &detect.Options{MaxKeys: -1, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 6, Window: time.Hour},
	}}, at(0, "x", ""), time.Microsecond)
	before := liveHeap()
	for range 5 {
		for i := range keys {
			f.principal(i)
			f.next(0)
		}
	}
	each := float64(liveHeap()-before) / keys
	if s := f.engine.Stats()[0]; s.Keys != keys || s.Events != 5*keys {
		t.Fatalf("%+v", s)
	}
	t.Logf("%.0f bytes a group", each)
	if strconv.IntSize == 64 && each > 300 {
		t.Errorf("%.0f bytes a group, more than 300", each)
	}
	runtime.KeepAlive(f)
}

// TestCountsReported shows that what a cap cuts off reaches the metrics.
func TestCountsReported(t *testing.T) {
	t.Parallel()
	var metrics collector
	engine, err := detect.New(&detect.Options{MaxKeys: 2, MaxEventsPerKey: 2, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: 2, Window: time.Hour},
	}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := monitor.New(monitor.Config{AllowUnverified: true, Detectors: []monitor.Detector{engine}, Metrics: &metrics})
	if err != nil {
		t.Fatal(err)
	}
	for i, who := range []string{"a", "a", "a", "b", "c", "d"} {
		e := at(time.Duration(i), "x", who)
		if _, err := m.Process(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for metric, want := range map[monitor.Metric]int64{monitor.StateTruncations: 1, monitor.StateEvictions: 2} {
		if got := metrics.sum(metric, "r"); got != want {
			t.Errorf("%s: %d, want %d", metric, got, want)
		}
	}
}
