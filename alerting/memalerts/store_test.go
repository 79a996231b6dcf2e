package memalerts_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestStore(t *testing.T) {
	t.Parallel()
	alertingtest.RunStore(t, alertingtest.StoreHarness{
		New: func(*testing.T) alerting.Store { return memalerts.New(nil) },
	})
}

func BenchmarkStore(b *testing.B) {
	alertingtest.BenchmarkStore(b, func(*testing.B) alerting.Store { return memalerts.New(nil) })
}

func occurrence(key, event string) *monitor.Occurrence {
	return alertingtest.Occurrence("acme", key, event, time.Unix(1_700_000_000, 0))
}

func put(t *testing.T, s *memalerts.Store, os ...*monitor.Occurrence) []monitor.Disposition {
	t.Helper()
	ds, err := s.StoreOccurrences(t.Context(), os)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func keys(t *testing.T, s *memalerts.Store) string {
	t.Helper()
	var text strings.Builder
	for a, err := range s.List(t.Context(), alerting.Query{Organization: "acme"}) {
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(a.Finding.Key)
	}
	return text.String()
}

func TestMaxAlerts(t *testing.T) {
	t.Parallel()
	s := memalerts.New(&memalerts.Options{MaxAlerts: 3})
	resolve := func(id string) {
		t.Helper()
		if _, err := s.Resolve(t.Context(), monitor.AlertRef{Organization: "acme", ID: id}, "ann", ""); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		key     string
		resolve bool
		want    string
		evicted int64
	}{
		{"a", false, "a", 0},
		{"b", true, "ba", 0},
		{"c", true, "cba", 0},
		{"d", false, "dca", 1}, // b was the oldest that is closed
		{"e", false, "eda", 2},
		{"f", false, "feda", 2}, // open ones stay
		{"g", true, "gfeda", 2},
		{"h", true, "hfeda", 3},
	}
	for _, step := range steps {
		id := put(t, s, occurrence(step.key, step.key))[0].AlertID
		if step.resolve {
			resolve(id)
		}
		if got := keys(t, s); got != step.want || s.Evicted() != step.evicted {
			t.Errorf("after %s there are %s and %d evicted, want %s and %d", step.key, got, s.Evicted(), step.want, step.evicted)
		}
	}
	// Back below the limit as soon as there is something to give up.
	for a, err := range s.List(t.Context(), alerting.Query{
		Organization: "acme", Statuses: []monitor.AlertStatus{monitor.AlertActive},
	}) {
		if err != nil {
			t.Fatal(err)
		}
		resolve(a.ID)
	}
	put(t, s, occurrence("i", "i"))
	if got := keys(t, s); got != "ihf" {
		t.Errorf("there are %s, want ihf", got)
	}
	// What was given up is forgotten.
	if d := put(t, s, occurrence("a", "a"))[0]; d.Stored != monitor.StoredNew {
		t.Errorf("an event of an evicted alert is %v", d.Stored)
	}
	// Each tenant has its own limit.
	put(t, s, alertingtest.Occurrence("other", "x", "x", time.Unix(0, 0)))
	if got := keys(t, s); got != "aih" {
		t.Errorf("there are %s, want aih", got)
	}
}

func TestNoMaxAlerts(t *testing.T) {
	t.Parallel()
	s := memalerts.New(&memalerts.Options{MaxAlerts: -1})
	id := put(t, s, occurrence("closed", "closed"))[0].AlertID
	if _, err := s.Dismiss(t.Context(), monitor.AlertRef{Organization: "acme", ID: id}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	var many []*monitor.Occurrence
	for i := range 10_000 { // the default limit
		many = append(many, occurrence(fmt.Sprint(i), fmt.Sprint(i)))
	}
	put(t, s, many...)
	n, err := s.Count(t.Context(), alerting.Query{Organization: "acme"})
	if err != nil || n != 10_001 || s.Evicted() != 0 {
		t.Errorf("%d alerts are left, %d evicted, %v", n, s.Evicted(), err)
	}
}

func TestEventKeysAreBounded(t *testing.T) {
	t.Parallel()
	s := memalerts.New(nil)
	event := func(i int) *monitor.Occurrence { return occurrence("mallory", fmt.Sprint("e", i)) }
	const n = 5000
	for i := range n {
		put(t, s, event(i))
	}
	for i := n - 1; i >= n-1024; i-- {
		if d := put(t, s, event(i))[0]; d.Stored != monitor.StoredBefore {
			t.Fatalf("event %d of %d is %v, want counted", i, n, d.Stored)
		}
	}
	if d := put(t, s, event(0))[0]; d.Stored != monitor.StoredRepeat {
		t.Errorf("event 0 is %v: more is remembered than there is room for", d.Stored)
	}
}

func TestRepeatAllocatesNothing(t *testing.T) {
	s := memalerts.New(nil)
	batch := []*monitor.Occurrence{occurrence("mallory", "e")}
	n := 0
	repeat := func() {
		n++
		binary.BigEndian.PutUint32(batch[0].EventKey[:], uint32(n))
		if _, err := s.StoreOccurrences(t.Context(), batch); err != nil {
			t.Error(err)
		}
	}
	for range 10 {
		repeat()
	}
	if allocs := testing.AllocsPerRun(5000, repeat); allocs != 0 {
		t.Errorf("a repeat takes %v allocations", allocs)
	}
}

// TestMaxNotifications holds whatever number of routes they take.
func TestMaxNotifications(t *testing.T) {
	t.Parallel()
	s := memalerts.New(&memalerts.Options{MaxNotifications: 10})
	const alerts = 50
	for i := range alerts {
		put(t, s, occurrence(fmt.Sprint(i), fmt.Sprint(i)))
		ns, err := s.ClaimNotifications(t.Context(), "", 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range ns {
			err := s.SettleNotifications(t.Context(), []alerting.Settlement{{
				Notification: n, Outcome: alerting.OutcomeRouted, Routes: []string{"a", "b", "c"},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := s.Backlog(t.Context())
	if err != nil || b.Waiting != 10 || b.Dropped != 3*alerts-10 {
		t.Errorf("backlog %+v, %v", b, err)
	}
}
