package monitor_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// The defaults of [monitor.Config].
const (
	lateness = time.Minute
	skew     = 2 * time.Minute
)

// newWatch returns a monitor with the engine and these rules.
func newWatch(t *testing.T, rules ...detect.Rule) *monitor.Monitor {
	t.Helper()
	engine, err := detect.New(&detect.Options{Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return newMonitor(t, func(c *monitor.Config) {
		c.Detectors, c.Lateness, c.MaxSkew = []monitor.Detector{engine}, lateness, skew
	})
}

func anything(*monitor.Event) bool { return true }

// TestClockAheadBlindsNobody has the events of a client whose clock is ahead come
// before, between and after those of others.
func TestClockAheadBlindsNobody(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{lateness, 90 * time.Second, skew - time.Second, skew} {
		synctest.Test(t, func(t *testing.T) {
			m := newWatch(t, detect.Rule{Name: "many", Match: anything, Threshold: 5, Window: 10 * time.Minute})
			now := time.Now()
			event := func(principal string, at time.Time) monitor.Result {
				e := newEvent("", 0)
				e.PrincipalID, e.Timestamp = principal, at
				return process(t, m, e)
			}
			found := 0
			for range 200 {
				event("ahead", now.Add(ahead))
				found += len(event("ann", now.Add(-lateness)).Findings)
				advance(time.Second)
				now = time.Now()
			}
			check.Equal(t, list("findings beside a clock ahead by ", ahead), found, 196)
		})
	}
}

// TestFutureMovesNothing has events that are ahead by more than the skew.
func TestFutureMovesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		arrivals := &arrivalRecorder{}
		m := newMonitor(t, func(c *monitor.Config) {
			c.Detectors, c.Lateness, c.MaxSkew = []monitor.Detector{arrivals}, lateness, skew
		})
		now := time.Now()
		watermark := func(organization string, at time.Time) time.Duration {
			e := newEvent("", 0)
			e.OrganizationID, e.Timestamp = organization, at
			process(t, m, e)
			return arrivals.last.Watermark.Sub(now)
		}
		future := time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC)
		check.Equal(t, "of the first event", watermark("a", future), 0)
		check.Equal(t, "of an old one behind it", watermark("a", now.Add(-time.Hour)), -time.Hour)
		check.Equal(t, "of the future behind that", watermark("a", future), -time.Hour)
		check.Equal(t, "within the skew", watermark("a", now.Add(skew)), 0)
		check.Equal(t, "in order", watermark("a", now), 0)
	})
}

// TestOrderWithinLatenessAndSkew has events of any time from now less the lateness
// to now and the skew arrive in random orders. All of them count, and the same of
// them qualify.
func TestOrderWithinLatenessAndSkew(t *testing.T) {
	t.Parallel()
	isLogin := func(e *monitor.Event) bool { return e.Action == "login" }
	isRead := func(e *monitor.Event) bool { return e.Action == "data.read" }
	rules := []detect.Rule{
		{Name: "count", Match: anything, Threshold: 4, Window: 20 * time.Second},
		{Name: "long", Match: anything, Threshold: 12, Window: lateness + skew},
		{Name: "longer", Match: isLogin, Threshold: 5, Window: time.Hour},
		{Name: "distinct", Match: anything, Threshold: 4, Window: 30 * time.Second, Distinct: func(e *monitor.Event) string { return e.TargetResourceID }},
		{Name: "sequence", Window: 40 * time.Second, Sequence: []detect.Step{{Match: isLogin, Count: 2}, {Match: isRead}}},
	}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		var first []string
		var events []*monitor.Event
		for i := range 60 {
			at := time.Duration(random.Int64N(int64(lateness+skew+1))) - lateness
			switch { // no two of a principal are at the same time
			case i < 2:
				at = -lateness
			case i < 4:
				at = skew
			case i < 6:
				at = time.Duration(i - 5)
			}
			e := newEvent(list("e", i), at)
			e.TargetResourceID, e.PrincipalID = list(random.IntN(6)), list("user-", i%2)
			if random.IntN(2) == 0 {
				e.Action = "login"
			}
			events = append(events, e)
		}
		for order := range 12 {
			switch order {
			case 0:
			case 1:
				slices.SortFunc(events, func(a, b *monitor.Event) int { return a.Timestamp.Compare(b.Timestamp) })
			case 2:
				slices.SortFunc(events, func(a, b *monitor.Event) int { return b.Timestamp.Compare(a.Timestamp) })
			default:
				random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			}
			found := qualifying(t, rules, events)
			if first == nil {
				first = found
			}
			if !slices.Equal(found, first) {
				t.Fatalf("seed %d, order %d: %v qualify, want %v", seed, order, found, first)
			}
		}
		if len(first) < 5 {
			t.Errorf("seed %d: only %v qualify", seed, first)
		}
	}
}

// qualifying returns which of the events qualify for which rules, if it is noon.
func qualifying(t *testing.T, rules []detect.Rule, events []*monitor.Event) (found []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newWatch(t, rules...)
		toNow := time.Since(noon)
		for _, e := range events {
			e := e.Clone()
			e.Timestamp = e.Timestamp.Add(toNow)
			r := process(t, m, e)
			check.Equal(t, "timing", r.Timing, monitor.TimingOnTime)
			for _, f := range r.Findings {
				found = append(found, fmt.Sprint(f.Rule, " ", f.Event.Timestamp.Add(-toNow).Sub(noon)))
			}
		}
	})
	slices.Sort(found)
	return found
}

// madeUp has organizations of these numbers send an event each.
func madeUp(t *testing.T, m *monitor.Monitor, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		e := newEvent("", 0)
		e.OrganizationID = list("made-up-", i)
		process(t, m, e)
	}
}

// TestMadeUpOrganizationsResetNobody has more organizations than there is room for.
func TestMadeUpOrganizationsResetNobody(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, nil)
	timing := func(organization string, at time.Duration) monitor.Timing {
		t.Helper()
		e := newEvent("", at)
		e.OrganizationID = organization
		return process(t, m, e).Timing
	}
	for i := range 100 {
		for range 10 {
			timing(list("real-", i), time.Hour)
		}
	}
	madeUp(t, m, 0, 100_000)
	for i := range 100 {
		timing(list("seldom-", i), time.Hour)
		timing(list("seldom-", i), time.Hour)
	}
	madeUp(t, m, 100_000, 180_000)
	for i := range 100 {
		check.Equal(t, "timing of one that is known", timing(list("real-", i), 0), monitor.TimingTooLate)
		check.Equal(t, "timing of one with two events", timing(list("seldom-", i), 0), monitor.TimingTooLate)
	}
}

// TestOnlyUnusedPlacesAreGivenAway fills every place with known organizations.
func TestOnlyUnusedPlacesAreGivenAway(t *testing.T) {
	t.Parallel()
	const places = 64
	w := monitor.NewWatermarks(lateness, -1, places)
	now := noon
	send := func(organization string, events int) (last monitor.Timing) {
		for range events {
			last = w.Judge(organization, noon, now)
		}
		return last
	}
	for i := range places {
		send(list("org-", i), 8)
		check.Equal(t, "known", w.Knows(list("org-", i)), true)
	}
	send("late", 100)
	now = now.Add(59 * time.Minute)
	for i := range places / 2 {
		send(list("org-", i), 1)
	}
	send("late", 100)
	for i := range places {
		check.Equal(t, "known within the hour", w.Knows(list("org-", i)), true)
	}
	check.Equal(t, "one too many is known", w.Knows("late"), false)
	now = now.Add(2 * time.Minute)
	send("late", 1)
	for i := range places {
		check.Equal(t, "known after an hour", w.Knows(list("org-", i)), i < places/2)
	}
	check.Equal(t, "the one too many is known", w.Knows("late"), true)
}
