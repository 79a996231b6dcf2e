package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// mixedRules are rules of every kind with small windows.
func mixedRules() []detect.Rule {
	fail := func(e *monitor.Event) bool { return e.Action == "login" && e.Status == monitor.StatusFailure }
	success := func(e *monitor.Event) bool { return e.Action == "login" && e.Status == monitor.StatusSuccess }
	return []detect.Rule{
		{Name: "count", Match: action("login"), Threshold: 4, Window: 30 * time.Millisecond},
		{Name: "single", Match: action("read"), Threshold: 1, Window: 5 * time.Millisecond},
		{Name: "tenant", Match: any1, GroupBy: detect.ByOrganization, Threshold: 9, Window: 20 * time.Millisecond},
		{Name: "distinct", Match: action("read"), Distinct: target, Threshold: 3, Window: 40 * time.Millisecond},
		{Name: "sequence", Window: 40 * time.Millisecond, Sequence: []detect.Step{{Match: fail, Count: 3}, {Match: success}}},
		{Name: "overlap", Match: action("login"), Window: 25 * time.Millisecond, Sequence: []detect.Step{
			{Match: any1}, {Match: fail, Count: 2}, {Match: any1, Count: 2},
		}},
	}
}

// oracle returns the IDs of the events that qualify for the rule, with their
// counts, computed in the plainest way. The events are in order.
func oracle(r detect.Rule, es []*monitor.Event) map[string]int {
	group := r.GroupBy
	if group == nil {
		group = detect.ByPrincipal
	}
	matches := func(e *monitor.Event) bool {
		if r.Match != nil && !r.Match(e) {
			return false
		}
		if r.Sequence == nil {
			return true
		}
		return slices.ContainsFunc(r.Sequence, func(s detect.Step) bool { return s.Match(e) })
	}
	found := map[string]int{}
	for i, last := range es {
		if !matches(last) {
			continue
		}
		var window []*monitor.Event
		for _, e := range es[:i+1] {
			if matches(e) && e.OrganizationID == last.OrganizationID &&
				group(e, e.OrganizationID).Value == group(last, last.OrganizationID).Value &&
				e.Timestamp.After(last.Timestamp.Add(-r.Window)) {
				window = append(window, e)
			}
		}
		n, threshold := len(window), r.Threshold
		switch {
		case r.Distinct != nil:
			values := map[string]bool{}
			for _, e := range window {
				values[r.Distinct(e)] = true
			}
			n = len(values)
		case r.Sequence != nil:
			n, threshold = backwards(r.Sequence, window), len(r.Sequence)
		}
		if n >= threshold {
			found[last.ID] = n
		}
	}
	return found
}

// backwards takes the events of the last step from the end of the window, then
// those of the step before it from what is left, and so on. It returns the
// number of steps if that works out.
func backwards(steps []detect.Step, window []*monitor.Event) int {
	if !steps[len(steps)-1].Match(window[len(window)-1]) {
		return 0
	}
	i := len(window) - 1
	for _, step := range slices.Backward(steps) {
		for need := max(1, step.Count); need > 0; i-- {
			if i < 0 {
				return 0
			}
			if step.Match(window[i]) {
				need--
			}
		}
	}
	return len(steps)
}

// randomEvents returns events of two organizations in order of time, many of
// them at the same time as another.
func randomEvents(random *rand.Rand, n int) []*monitor.Event {
	var es []*monitor.Event
	now := noon
	for i := range n {
		now = now.Add(time.Duration(random.IntN(4)) * time.Millisecond)
		if random.IntN(40) == 0 {
			now = now.Add(time.Duration(random.IntN(50)) * time.Millisecond)
		}
		e := &monitor.Event{
			ID: fmt.Sprint(i), Timestamp: now, Action: "login", Status: monitor.StatusFailure,
			PrincipalID:      fmt.Sprint("user-", random.IntN(2)),
			OrganizationID:   fmt.Sprint("org-", random.IntN(2)),
			TargetResourceID: fmt.Sprint("patient-", random.IntN(5)),
		}
		if random.IntN(3) == 0 {
			e.Action = "read"
		}
		if random.IntN(3) == 0 {
			e.Status = monitor.StatusSuccess
		}
		es = append(es, e)
	}
	return es
}

// shuffled returns the events in another order in which none is later than
// lateness. Many are as late as may be.
func shuffled(random *rand.Rand, es []*monitor.Event, lateness time.Duration) []*monitor.Event {
	type arriving struct {
		at    time.Time
		event *monitor.Event
	}
	var all []arriving
	for _, e := range es {
		late := time.Duration(random.Int64N(int64(lateness) + 1))
		if random.IntN(8) == 0 {
			late = lateness
		}
		all = append(all, arriving{e.Timestamp.Add(late), e})
	}
	slices.SortStableFunc(all, func(a, b arriving) int { return a.at.Compare(b.at) })
	var order []*monitor.Event
	for _, a := range all {
		order = append(order, a.event)
	}
	return order
}

// TestLatestOnTime has an event that is on time by a watermark that was rounded
// down, although it is older than the newest one by more than the lateness: what
// it needs is still there.
func TestLatestOnTime(t *testing.T) {
	t.Parallel()
	for _, rule := range []detect.Rule{
		{Name: "r", Match: any1, Threshold: 2, Window: 10 * time.Second},
		{Name: "r", Match: any1, Threshold: 2, Window: 10 * time.Second, Distinct: func(e *monitor.Event) string { return e.Timestamp.String() }},
	} {
		tr := newTrail(t, &detect.Options{Rules: []detect.Rule{rule}})
		tr.lateness, tr.step = 32*time.Second, 4*time.Second
		second := func(n int) *monitor.Event { return at(time.Duration(n)*time.Second, "x", "u") }
		wantLines(t, tr.add(second(58), second(60), second(100), second(103)), "r org-1/u 2 +1m0s", "r org-1/u 2 +1m43s")
		// The watermark is 100 s, so that 68 s is on time, and 58 s not needed.
		wantLines(t, tr.add(second(67), second(68)), "r org-1/u 2 +1m8s")
		if s := tr.engine.Stats()[0]; s.Events != 4 {
			t.Errorf("%+v, want the events of 60, 68, 100 and 103 s", s)
		}
	}
}

// TestOrderOfArrival compares what an engine finds, whatever the order in which
// events arrive, with the oracle's answer for them in order of time.
func TestOrderOfArrival(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		es := randomEvents(random, 400)
		lateness := time.Duration(1+random.IntN(60)) * time.Millisecond
		var first []string
		for order := range 4 {
			arriving := es
			if order > 0 {
				arriving = shuffled(random, es, lateness)
			}
			tr := newTrail(t, &detect.Options{Rules: mixedRules(), MaxEventsPerKey: -1})
			tr.lateness = lateness
			if seed%3 > 0 { // as the monitor does, and in larger steps
				tr.step = max(1, lateness/[]time.Duration{64, 3}[seed%3-1])
			}
			if order == 1 {
				tr.engine.Collide()
			}
			found := tr.add(arriving...)

			inOrder := slices.Clone(arriving)
			slices.SortStableFunc(inOrder, func(a, b *monitor.Event) int { return a.Timestamp.Compare(b.Timestamp) })
			for _, r := range mixedRules() {
				want := oracle(r, inOrder)
				got := map[string]int{}
				for _, f := range found {
					if f.Rule != r.Name {
						continue
					}
					if _, twice := got[f.Event.ID]; twice {
						t.Errorf("seed %d, order %d: %s reports event %s twice", seed, order, r.Name, f.Event.ID)
					}
					got[f.Event.ID] = f.Count
					if n, ok := want[f.Event.ID]; !ok || f.Count > n || order == 0 && f.Count != n {
						t.Errorf("seed %d, order %d: %s counts %d at event %s, want %d",
							seed, order, r.Name, f.Count, f.Event.ID, n)
					}
					if f.AtLeast {
						t.Errorf("seed %d, order %d: %s is not sure of a window that was not cut", seed, order, r.Name)
					}
				}
				if len(got) != len(want) {
					t.Errorf("seed %d, order %d: %s reports %d events, want %d", seed, order, r.Name, len(got), len(want))
				}
				if order == 0 && len(want) == 0 {
					t.Errorf("seed %d: nothing for %s to find", seed, r.Name)
				}
			}
			// Rules that count events do not even depend on how events with the
			// same timestamp rank.
			counted := sorted(slices.DeleteFunc(found, func(f monitor.Finding) bool {
				return f.Rule == "distinct" || f.Rule == "sequence" || f.Rule == "overlap"
			}))
			if first == nil {
				first = counted
			}
			if !slices.Equal(counted, first) {
				t.Errorf("seed %d, order %d: other qualifying events than in order of time", seed, order)
			}
		}
		if t.Failed() {
			return
		}
	}
}
