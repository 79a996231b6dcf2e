package memalerts_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestStore(t *testing.T) {
	t.Parallel()
	alertingtest.RunStore(t, alertingtest.StoreHarness{
		New: func(*testing.T) driver.Store { return memalerts.New(nil) },
	})
}

func BenchmarkStore(b *testing.B) {
	alertingtest.BenchmarkStore(b, func(*testing.B) driver.Store { return memalerts.New(nil) })
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
	for _, a := range all(t, s) {
		text.WriteString(a.Finding.Key)
	}
	return text.String()
}

func all(t *testing.T, s *memalerts.Store, statuses ...monitor.AlertStatus) []*monitor.Alert {
	t.Helper()
	as, err := s.List(t.Context(), alerting.Query{Organization: "acme", Statuses: statuses, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return as
}

func change(t *testing.T, s *memalerts.Store, id string, to monitor.AlertStatus) {
	t.Helper()
	if _, err := s.Change(t.Context(), monitor.AlertRef{Organization: "acme", ID: id}, to, "ann", ""); err != nil {
		t.Fatal(err)
	}
}

// evicted returns the number of closed alerts that were evicted. No open one may be.
func evicted(s *memalerts.Store) int64 {
	open, closed := s.Evicted()
	if open != 0 {
		return -open
	}
	return closed
}

func TestMaxAlerts(t *testing.T) {
	t.Parallel()
	s := memalerts.New(&memalerts.Options{MaxAlerts: 3})
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
			change(t, s, id, monitor.AlertResolved)
		}
		if got := keys(t, s); got != step.want || evicted(s) != step.evicted {
			t.Errorf("after %s there are %s and %d evicted, want %s and %d", step.key, got, evicted(s), step.want, step.evicted)
		}
	}
	// Back below the limit as soon as there is something to give up.
	for _, a := range all(t, s, monitor.AlertActive) {
		change(t, s, a.ID, monitor.AlertResolved)
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
	change(t, s, id, monitor.AlertDismissed)
	var many []*monitor.Occurrence
	for i := range 10_000 { // the default limit
		many = append(many, occurrence(fmt.Sprint(i), fmt.Sprint(i)))
	}
	put(t, s, many...)
	n, err := s.Count(t.Context(), alerting.Query{Organization: "acme"})
	if err != nil || n != 10_001 || evicted(s) != 0 {
		t.Errorf("%d alerts are left, %d evicted, %v", n, evicted(s), err)
	}
}

func TestEventKeysAreBounded(t *testing.T) {
	t.Parallel()
	s := memalerts.New(nil)
	event := func(i int) *monitor.Occurrence { return occurrence("mallory", fmt.Sprint("e", i)) }
	const n, kept = 20_000, 4096
	for i := range n {
		put(t, s, event(i))
	}
	for i := n - 1; i >= n-kept; i-- {
		if d := put(t, s, event(i))[0]; d.Stored != monitor.StoredBefore {
			t.Fatalf("event %d of %d is %v, want counted", i, n, d.Stored)
		}
	}
	if d := put(t, s, event(0))[0]; d.Stored != monitor.StoredRepeat {
		t.Errorf("event 0 is %v: more is remembered than there is room for", d.Stored)
	}
	if h := check.Health(t, s, monitor.HealthWarning); !strings.Contains(h.Message, "12288 event keys forgotten early") {
		t.Errorf("health says %q", h.Message)
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
	var routes []alerting.Route
	for _, name := range []string{"a", "b", "c"} {
		routes = append(routes, alerting.Route{Name: name, Reasons: alerting.Reasons(), ExpireAfter: time.Hour})
	}
	const alerts = 50
	for i := range alerts {
		put(t, s, occurrence(fmt.Sprint(i), fmt.Sprint(i)))
		if _, err := s.ClaimNotifications(t.Context(), "a", routes, nil, 0, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	b, err := s.Backlog(t.Context())
	if err != nil || b.Waiting != 10 || b.Dropped[driver.DroppedTooMany] != 3*alerts-10 {
		t.Errorf("backlog %+v, %v", b, err)
	}
	// The youngest are left.
	ns, err := s.ClaimNotifications(t.Context(), "c", routes, nil, 100, time.Minute)
	if err != nil || len(ns) == 0 || ns[len(ns)-1].Alert.Finding.Key != fmt.Sprint(alerts-1) {
		t.Errorf("claimed %v, %v", ns, err)
	}
}

// TestEvictionOrder has alerts that were closed more than once, or are gone when it
// would be their turn.
func TestEvictionOrder(t *testing.T) {
	t.Parallel()
	s := memalerts.New(&memalerts.Options{MaxAlerts: 4})
	ids := map[string]string{}
	for _, key := range []string{"a", "b", "c", "d"} {
		ids[key] = put(t, s, occurrence(key, key))[0].AlertID
	}
	for _, key := range []string{"c", "a", "b"} {
		change(t, s, ids[key], monitor.AlertResolved)
	}
	change(t, s, ids["a"], monitor.AlertActive)
	put(t, s, occurrence("e", "e"))
	if got := keys(t, s); got != "edca" { // a is open
		t.Errorf("there are %s, want edca", got)
	}
	change(t, s, ids["a"], monitor.AlertDismissed)
	put(t, s, occurrence("f", "f"))
	if got := keys(t, s); got != "fedc" {
		t.Errorf("there are %s, want fedc", got)
	}
	if n, err := s.Purge(t.Context(), "acme", time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("Purge: %d, %v", n, err)
	}
	change(t, s, ids["d"], monitor.AlertResolved)
	put(t, s, occurrence("g", "g"), occurrence("h", "h"))
	if got := keys(t, s); got != "hgfe" || evicted(s) != 3 {
		t.Errorf("there are %s and %d evicted, want hgfe and 3", got, evicted(s))
	}
}

// BenchmarkEvict opens alerts in a full store, where every one of them evicts
// another. All but the youngest are open.
func BenchmarkEvict(b *testing.B) {
	for _, alerts := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(alerts), func(b *testing.B) {
			s := memalerts.New(&memalerts.Options{MaxAlerts: alerts})
			n := uint64(0)
			open := func() string {
				o := occurrence("mallory", "e")
				n++
				binary.BigEndian.PutUint64(o.Fingerprint[:], n)
				ds, err := s.StoreOccurrences(b.Context(), []*monitor.Occurrence{o})
				if err != nil {
					b.Fatal(err)
				}
				return ds[0].AlertID
			}
			for range alerts - 1 {
				open()
			}
			for b.Loop() {
				ref := monitor.AlertRef{Organization: "acme", ID: open()}
				if _, err := s.Change(b.Context(), ref, monitor.AlertResolved, "ann", ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
