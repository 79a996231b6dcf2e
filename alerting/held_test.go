package alerting_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// heap returns the bytes of live objects.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// line returns an occurrence whose strings are all parts of the text of an event, which
// is as large as it may be.
func line(organization, event string) *monitor.Occurrence {
	o := occurrenceOf(organization, "mallory", event, 1)
	text := strings.Join([]string{
		organization, o.Finding.Rule, o.Finding.Key, o.Finding.KeyField, event, o.Source, o.Finding.Technique, strings.Repeat("x", 1<<20),
	}, "\n")
	parts := strings.SplitN(text, "\n", 8)
	f := &o.Finding
	f.OrganizationID, f.Rule, f.Key, f.KeyField, f.Event.ID, o.Source, f.Technique = parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]
	f.Detail, o.CorrelationID, f.CompletedBy.ID, f.References[0].ID = parts[7][:10], parts[7][:10], parts[7][:10], parts[4]
	return o
}

// TestRepeatsKeepNoEvents has repeats of large events be held: what is kept is small.
func TestRepeatsKeepNoEvents(t *testing.T) {
	const organizations, repeats = 20, 20
	synctest.Test(t, func(t *testing.T) {
		store := memalerts.New(nil)
		m := newManager(t, store, nil)
		stop := run(t, m)
		before := heap()
		for i := range organizations {
			put(t, m, occurrenceOf(fmt.Sprint("tenant", i), "mallory", "first", 0))
			for j := range repeats {
				put(t, m, line(fmt.Sprint("tenant", i), fmt.Sprint("e", j)))
			}
		}
		if grown := heap() - before; grown > 4<<20 {
			t.Errorf("%d repeats of events of 1 MiB keep %d KiB", organizations*repeats, grown>>10)
		}
		check.NoError(t, "Run", stop())
		check.Equal(t, "occurrences", stored(t, store, "tenant7"), 1+repeats)
	})
}

// TestHeldRepeatIsComplete has a repeat that was held open an alert of its own, because
// another instance closed the one before: it says all that the event said.
func TestHeldRepeatIsComplete(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newSpy()
		m := newManager(t, store, nil)
		stop := run(t, m)
		id := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
		o := line("acme", "e1")
		o.TraceID[0], o.SpanID[0], o.Count, o.Finding.AtLeast, o.Finding.Uncovered = 1, 2, 7, true, 1
		o.Finding.References = []monitor.EventRef{{ID: "e0", Timestamp: at(0)}, {ID: "e1", Timestamp: at(1), Sequence: 4}}
		check.Equal(t, "result", put(t, m, o)[0].Stored, monitor.StoredRepeat)
		_, err := store.Store.Change(t.Context(), monitor.AlertRef{Organization: "acme", ID: id}, monitor.AlertResolved, "ann", "")
		check.NoError(t, "Change", err)
		check.NoError(t, "Run", stop())
		got, want := all(t, store)[0], o.Alert()
		want.ID, want.CreatedAt, want.UpdatedAt, want.Version = got.ID, got.CreatedAt, got.UpdatedAt, got.Version
		check.Equal(t, "alert", got, want)
	})
}
