package monitortest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// RunWindows checks the contract of [detect.Windows], and that several engines
// that share windows report the same findings together as one engine that gets all
// events. The function newWindows must return empty windows.
func RunWindows(t *testing.T, newWindows func(t *testing.T) detect.Windows) {
	t.Helper()
	for _, c := range []struct {
		name  string
		check func(w windowsCheck)
	}{
		{"exchange", windowsCheck.shows},
		{"exchange_order", windowsCheck.order},
		{"exchange_limit", windowsCheck.limit},
		{"exchange_cut", windowsCheck.cut},
		{"exchange_horizon", windowsCheck.horizon},
		{"exchange_tail", windowsCheck.tail},
		{"exchange_extremes", windowsCheck.extremes},
		{"exchange_concurrent", windowsCheck.concurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(windowsCheck{t, newWindows(t)}) })
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("engines_", seed), func(t *testing.T) { windowsCheck{t, newWindows(t)}.engines(seed) })
	}
}

// windowsCheck is empty windows at a test.
type windowsCheck struct {
	testing.TB
	detect.Windows
}

// windowID returns an ID as engines make them.
func windowID(n int) string { return fmt.Sprintf("%032x", n) }

// request returns a request with new events.
func request(es ...detect.WindowEvent) *detect.WindowRequest {
	q := &detect.WindowRequest{ID: windowID(1), Limit: 1024, Horizon: math.MinInt64, Keep: time.Hour}
	for _, e := range es {
		q.Events = append(q.Events, detect.NewWindowEvent{WindowEvent: e})
	}
	return q
}

// limited returns a request with new events, a limit and a horizon.
func limited(limit int, horizon int64, es ...detect.WindowEvent) *detect.WindowRequest {
	q := request(es...)
	q.Limit, q.Horizon = limit, horizon
	return q
}

// event returns an event, which its ID identifies.
func event(id string, timestamp int64) detect.WindowEvent {
	return detect.WindowEvent{Key: monitor.EventKeyOf("", id), Timestamp: timestamp, Mark: uint64(len(id)), ID: id}
}

// exchange returns the answers to the requests, one each.
func (w windowsCheck) exchange(qs ...*detect.WindowRequest) []detect.WindowAnswer {
	w.Helper()
	answers, err := w.Exchange(w.Context(), qs)
	if err != nil || len(answers) != len(qs) {
		w.Fatalf("Exchange = %d answers, error %v, want %d", len(answers), err, len(qs))
	}
	for i, q := range qs {
		a := answers[i]
		if a.Request != q {
			w.Fatalf("answer %d is to another request", i)
		}
		if len(a.Hidden) != 0 && len(a.Hidden) != len(q.Events) {
			w.Fatalf("answer %d tells what is hidden of %d events, want %d", i, len(a.Hidden), len(q.Events))
		}
	}
	return answers
}

// wantHeld checks what a window holds now.
func (w windowsCheck) wantHeld(lost int64, want ...detect.WindowEvent) {
	w.Helper()
	a := w.exchange(limited(math.MaxInt, math.MinInt64, event("asked", math.MaxInt64)))[0]
	got := slices.DeleteFunc(a.Held, func(e detect.WindowEvent) bool { return e.ID == "asked" })
	if !slices.Equal(got, want) || a.Lost != lost {
		w.Errorf("the window holds %s, lost %d, want %s, lost %d", short(got), a.Lost, short(want), lost)
	}
}

func short(es []detect.WindowEvent) string {
	var all []string
	for _, e := range es {
		all = append(all, fmt.Sprintf("%s@%d", e.ID, e.Timestamp))
	}
	return fmt.Sprint(all)
}

// shows: a window shows what it held before, once each.
func (w windowsCheck) shows() {
	a, b, c := event("a", 10), event("b", 20), event("c", 15)
	first := w.exchange(request(a, b, a))[0]
	if len(first.Held) != 0 || first.Lost != math.MinInt64 {
		w.Errorf("an empty window holds %s, lost %d", short(first.Held), first.Lost)
	}
	other := request(a)
	other.ID = windowID(2)
	answers := w.exchange(other, request(b, c))
	if len(answers[0].Held) != 0 || len(answers[1].Held) != 2 {
		w.Errorf("the windows hold %s and %s, want a and b in the second", short(answers[0].Held), short(answers[1].Held))
	}
	w.wantHeld(math.MinInt64, a, c, b)
}

// order: events at one time rank by their arrival.
func (w windowsCheck) order() {
	var want []detect.WindowEvent
	for i := range 30 {
		want = append(want, event(fmt.Sprint(i), 5))
	}
	w.exchange(request(want[:10]...))
	w.exchange(request(want[10:11]...), request(want[11:20]...))
	for _, e := range want[20:] {
		w.exchange(request(e))
	}
	w.exchange(request(want[3]))
	w.wantHeld(math.MinInt64, want...)
}

// limit: the oldest go first, whenever they came.
func (w windowsCheck) limit() {
	w.exchange(limited(3, math.MinInt64, event("a", 1), event("b", 2), event("c", 3)))
	if a := w.exchange(limited(3, math.MinInt64, event("d", 4), event("e", 5)))[0]; a.Cut != 2 {
		w.Errorf("two events over the limit cost %d", a.Cut)
	}
	w.wantHeld(2, event("c", 3), event("d", 4), event("e", 5))
	w.exchange(limited(3, math.MinInt64, event("asked", math.MaxInt64))) // counts as well
	w.exchange(limited(3, math.MinInt64, event("late", 0)))
	w.wantHeld(3, event("d", 4), event("e", 5))
}

// cut: what is not needed any more costs nothing.
func (w windowsCheck) cut() {
	w.exchange(request(event("a", 3), event("b", 4), event("c", 5)))
	for i, c := range []struct {
		q    *detect.WindowRequest
		want int
	}{
		{limited(3, 5, event("d", 6)), 0},
		{limited(3, 5, event("e", 7), event("f", 8), event("g", 9)), 1},
		{limited(3, 5, event("h", 10)), 1},
	} {
		if a := w.exchange(c.q)[0]; a.Cut != c.want {
			w.Errorf("exchange %d cost %d, want %d", i, a.Cut, c.want)
		}
	}
}

// horizon: what is not needed any more goes, and is not lost.
func (w windowsCheck) horizon() {
	w.exchange(request(event("a", -7), event("b", -6), event("c", 4)))
	if a := w.exchange(limited(10, -6, event("d", 5)))[0]; len(a.Held) != 1 || a.Held[0].ID != "c" {
		w.Errorf("the window holds %s, want c", short(a.Held))
	}
	if a := w.exchange(limited(10, -6, event("e", 6)))[0]; len(a.Held) != 2 || a.Lost != math.MinInt64 || a.Cut != 0 {
		w.Errorf("the window holds %s, lost %d, cut %d, want c and d", short(a.Held), a.Lost, a.Cut)
	}
}

// tail: what is left out of a window is counted.
func (w windowsCheck) tail() {
	const size, tail, span = 500, 3, 100
	var first []detect.WindowEvent
	for i := range int64(size) {
		first = append(first, event(fmt.Sprint(i), 2*i))
	}
	w.exchange(request(first...))
	q := request(event("new", 2*size), event("late", 901), event("10", 20), event("later", 940))
	q.Tail, q.Span = tail, span
	a := w.exchange(q)[0]
	for i, e := range q.Events {
		within := func(es []detect.WindowEvent) (n int) {
			for _, held := range es {
				if held.Timestamp > e.Timestamp-span && held.Timestamp <= e.Timestamp {
					n++
				}
			}
			return n
		}
		got := within(a.Held)
		if len(a.Hidden) > 0 {
			got += a.Hidden[i]
		}
		if want := within(first); got != want {
			w.Errorf("%d events are within the span of %s, want %d", got, e.ID, want)
		}
	}
	if n := len(a.Held); n < size-10+tail-1 || a.Held[n-1].ID != fmt.Sprint(size-1) {
		w.Errorf("the window holds %s, want at least %d up to 10 and all after it", short(a.Held), tail)
	}
	q = request(event("newest", 2*size+1))
	q.Tail, q.Span = tail, span
	a = w.exchange(q)[0]
	if n := len(a.Held); n < tail || a.Held[n-1].ID != "new" {
		w.Errorf("the window holds %s, want at least %d up to new", short(a.Held), tail)
	}
}

// extremes: every time, mark and ID comes back.
func (w windowsCheck) extremes() {
	es := []detect.WindowEvent{
		event("first", math.MinInt64+1), event("", -1), event("\x00\xff", 0), event("last", math.MaxInt64-1),
	}
	es[1].Key = monitor.EventKey{15: 1}
	es[2].Key = monitor.EventKey{0: 255, 15: 255}
	es[2].Mark = math.MaxUint64
	w.exchange(request(es...))
	w.wantHeld(math.MinInt64, es...)
	if a := w.exchange(limited(10, math.MaxInt64, event("end", math.MaxInt64)))[0]; len(a.Held) != 0 {
		w.Errorf("the window holds %s beyond the horizon", short(a.Held))
	}
}

// concurrent: of any two events one sees the other.
func (w windowsCheck) concurrent() {
	const n = 8
	var exchanging sync.WaitGroup
	held := make([]int, n)
	for i := range n {
		exchanging.Go(func() {
			answers, err := w.Exchange(w.Context(), []*detect.WindowRequest{request(event(fmt.Sprint(i), int64(i)))})
			if err != nil || len(answers) != 1 {
				w.Errorf("%d answers, error %v", len(answers), err)
				return
			}
			held[i] = len(answers[0].Held)
		})
	}
	exchanging.Wait()
	slices.Sort(held)
	for i, n := range held {
		if n != i {
			w.Errorf("the events saw %v others, want 0 to %d", held, len(held)-1)
			break
		}
	}
}

// windowRules are rules of every kind with small windows.
func windowRules() []detect.Rule {
	action := func(name string) func(*monitor.Event) bool {
		return func(e *monitor.Event) bool { return e.Action == name }
	}
	resource := func(e *monitor.Event) string { return e.TargetResourceID }
	return []detect.Rule{
		{Name: "count", Match: action("login"), Threshold: 4, Window: 30 * time.Millisecond},
		{Name: "each", Match: action("read"), Threshold: 1, Window: 5 * time.Millisecond},
		{Name: "tenant", Match: action("read"), GroupBy: detect.ByOrganization, Threshold: 6, Window: 25 * time.Millisecond},
		{Name: "distinct", Match: action("read"), Distinct: resource, Threshold: 3, Window: 40 * time.Millisecond},
		{Name: "sequence", Window: 40 * time.Millisecond, Sequence: []detect.Step{
			{Match: action("login"), Count: 3}, {Match: action("read")},
		}},
		{Name: "long", Match: action("login"), GroupBy: detect.ByOrganization, Threshold: 3, Window: time.Second},
		{Name: "stateless", Match: func(e *monitor.Event) bool { return e.TargetResourceID == "r-0" }},
	}
}

// scattered returns events that arrive late by up to a lateness, many of them at
// one time, and some twice.
func scattered(random *rand.Rand, lateness time.Duration) []*monitor.Event {
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var es []*monitor.Event
	for i := range 300 {
		late := time.Duration(random.Int64N(int64(lateness)/int64(time.Millisecond)+1)) * time.Millisecond
		es = append(es, &monitor.Event{
			ID: fmt.Sprint(i), Timestamp: start.Add(time.Duration(i)*2*time.Millisecond - late),
			Action:           []string{"login", "read"}[random.IntN(2)],
			OrganizationID:   fmt.Sprint("org-", random.IntN(2)),
			PrincipalID:      fmt.Sprint("user-", random.IntN(2)),
			TargetResourceID: fmt.Sprint("r-", random.IntN(6)),
		})
	}
	return es
}

// engines deals events to three engines, in calls of one event or many, and
// compares with one engine that has them all.
func (w windowsCheck) engines(seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	lateness := time.Duration(random.IntN(30)) * time.Millisecond
	limit := []int{-1, 7}[random.IntN(2)]
	var engines []*detect.Engine
	for _, windows := range []detect.Windows{nil, w.Windows, w.Windows, w.Windows} {
		options := &detect.Options{Rules: windowRules(), MaxEventsPerKey: limit, Windows: windows}
		engines = append(engines, check.Must(detect.New(options))(w))
	}
	es := scattered(random, lateness)
	all := arrivals(es, lateness)
	found := 0
	for from := 0; from < len(es); {
		to := min(len(es), from+1+random.IntN(30))
		alone, shared := reporters(all[from:to]), reporters(all[from:to])
		check.NoError(w, "alone", engines[0].DetectBatch(w.Context(), es[from:to], alone))
		check.NoError(w, "shared", engines[1+random.IntN(3)].DetectBatch(w.Context(), es[from:to], shared))
		for i := range to - from {
			found += len(alone[i].Findings())
			if got, want := findingLines(shared[i].Findings()), findingLines(alone[i].Findings()); !slices.Equal(got, want) {
				w.Fatalf("event %d: found\n%q, want\n%q", from+i, got, want)
			}
		}
		from = to
	}
	if found == 0 {
		w.Error("there was nothing to find")
	}
}

// findingLines says what was found, without the numbers of events, which others
// do not know.
func findingLines(found []monitor.Finding) []string {
	var all []string
	for _, f := range found {
		var window []string
		for _, ref := range f.References {
			window = append(window, ref.ID)
		}
		all = append(all, fmt.Sprintf("%s %s/%s %d %t %s by %s: %s",
			f.Rule, f.OrganizationID, f.Key, f.Count, f.AtLeast, f.Event.ID, f.CompletedBy.ID, window))
	}
	return all
}
