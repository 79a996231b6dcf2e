package alerting_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestRepeatsAreCoalesced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)

		first := put(t, m, occurrence("mallory", "e0", 0))[0]
		wantStored(t, spy, 1) // before StoreOccurrences returned
		for i := 1; i <= 100; i++ {
			a := occurrence("mallory", fmt.Sprint("e", i), i)
			d := put(t, m, a)[0]
			if want := (monitor.Disposition{AlertID: first.AlertID, Stored: monitor.StoredRepeat}); d != want {
				t.Fatalf("disposition of repeat %d = %+v, want %+v", i, d, want)
			}
			clear(a.Finding.References)
			*a = monitor.Occurrence{} // it was valid during the call only
		}
		wantStored(t, spy, 1)
		advance(time.Second)
		wantStored(t, spy, 101)
		if sizes := spy.sizes(); !slices.Equal(sizes, []int{1, 100}) {
			t.Errorf("calls of the store had sizes %d, want one of 1 and one of 100", sizes)
		}
		a := all(t, spy)[0]
		if !a.FirstSeen.Equal(at(0)) || !a.LastSeen.Equal(at(100)) {
			t.Errorf("seen from %v to %v", a.FirstSeen, a.LastSeen)
		}
		// Again in the next interval; when it has been quiet for a while, a
		// repeat goes to the store.
		put(t, m, occurrence("mallory", "late", 101))
		wantStored(t, spy, 101)
		advance(3 * time.Second)
		wantStored(t, spy, 102)
		put(t, m, occurrence("mallory", "later", 102))
		wantStored(t, spy, 103)
		// A storm takes one call an interval, however long it lasts.
		calls := len(spy.sizes())
		for i := range 10 {
			put(t, m, occurrence("mallory", fmt.Sprint("storm", i), 103))
			put(t, m, occurrence("mallory", fmt.Sprint("more", i), 103))
			advance(time.Second)
		}
		wantStored(t, spy, 123)
		if n := len(spy.sizes()) - calls; n != 10 {
			t.Errorf("10 intervals took %d calls of the store", n)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestMixedBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)
		known := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
		ds := put(t, m,
			occurrence("mallory", "e1", 1),
			occurrence("eve", "e2", 1),
			occurrence("mallory", "e3", 1),
			occurrence("trudy", "e4", 1),
		)
		if ds[0].AlertID != known || ds[2].AlertID != known || ds[0].Stored != monitor.StoredRepeat || ds[2].Stored != monitor.StoredRepeat {
			t.Errorf("dispositions of the repeats: %+v", ds)
		}
		if ds[1].Stored != monitor.StoredNew || ds[3].Stored != monitor.StoredNew || ds[1].AlertID == ds[3].AlertID {
			t.Errorf("dispositions of the new ones: %+v", ds)
		}
		if err := m.Flush(t.Context()); err != nil {
			t.Errorf("Flush: %v", err)
		}
		wantStored(t, spy, 1, 1, 3)
		if sizes := spy.sizes(); !slices.Equal(sizes, []int{1, 2, 2}) {
			t.Errorf("calls of the store had sizes %d", sizes)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestNothingIsHeld(t *testing.T) {
	t.Parallel()
	worse := func() *monitor.Occurrence {
		a := occurrence("mallory", "e1", 1)
		a.Finding.Severity = monitor.SeverityCritical
		return a
	}
	elsewhere := func() *monitor.Occurrence {
		a := occurrence("mallory", "e1", 1)
		a.Finding.OrganizationID = "other"
		return a
	}
	repeat := func() *monitor.Occurrence { return occurrence("mallory", "e1", 1) }
	for name, tt := range map[string]struct {
		options alerting.ManagerOptions
		stopped bool
		second  *monitor.Occurrence
		want    []int64
	}{
		"without Run":                 {stopped: true, second: repeat(), want: []int64{2}},
		"when switched off":           {options: alerting.ManagerOptions{CoalesceInterval: -1}, second: repeat(), want: []int64{2}},
		"of a rise in severity":       {second: worse(), want: []int64{2}},
		"of another tenant":           {second: elsewhere(), want: []int64{1, 1}},
		"of a repeat (it is held)":    {second: repeat(), want: []int64{1}},
		"of a repeat (long interval)": {options: alerting.ManagerOptions{CoalesceInterval: time.Hour}, second: repeat(), want: []int64{1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				spy := newSpy()
				m := newManager(t, spy, &tt.options)
				if !tt.stopped {
					stop := run(t, m)
					defer func() {
						if err := stop(); err != nil {
							t.Errorf("Run: %v", err)
						}
					}()
				}
				put(t, m, occurrence("mallory", "e0", 0))
				put(t, m, tt.second)
				wantStored(t, spy, tt.want...)
			})
		})
	}
}

func TestRepeatsDuringAFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy, release := newSpy(), make(chan struct{})
		m := newManager(t, spy, nil)
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		advance(time.Second)
		put(t, m, occurrence("mallory", "e1", 1))
		spy.setDuring(func(string) { <-release })
		advance(time.Second) // the flush is under way
		spy.setDuring(nil)
		put(t, m, occurrence("mallory", "e2", 2))
		wantStored(t, spy, 2) // the repeat does not wait for it
		if sizes := spy.sizes(); !slices.Equal(sizes, []int{1, 1}) {
			t.Errorf("calls of the store had sizes %d", sizes)
		}
		close(release)
		advance(time.Second)
		wantStored(t, spy, 3)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestRepeatAfterARiseIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		for i, stored := range []int64{2, 2, 2} { // only the first goes to the store
			a := occurrence("mallory", fmt.Sprint("high", i), 1)
			a.Finding.Severity = monitor.SeverityHigh
			put(t, m, a)
			wantStored(t, spy, stored)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		wantStored(t, spy, 4)
	})
}

// A retried event that a closed alert has already says nothing of an open one.
func TestRetryAfterClosing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)
		id := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
		if _, err := m.Resolve(t.Context(), monitor.AlertRef{Organization: "acme", ID: id}, "ann", ""); err != nil {
			t.Fatal(err)
		}
		if d := put(t, m, occurrence("mallory", "e0", 0))[0]; d.Stored != monitor.StoredBefore {
			t.Errorf("the retry was %v", d.Stored)
		}
		if d := put(t, m, occurrence("mallory", "e1", 1))[0]; d.Stored != monitor.StoredNew {
			t.Errorf("the next occurrence was %v", d.Stored)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		wantStored(t, spy, 1, 1)
	})
}

func TestInvalidRepeatIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, newSpy(), nil)
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		bad := occurrence("mallory", "e1", 1)
		bad.Count = -1
		for _, a := range []*monitor.Occurrence{nil, bad} {
			if _, err := m.StoreOccurrences(t.Context(), []*monitor.Occurrence{a}); err == nil {
				t.Errorf("StoreOccurrences took %v", a)
			}
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestRetriedRepeatCountsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		for range 3 {
			put(t, m, occurrence("mallory", "e1", 1))
		}
		advance(time.Second)
		put(t, m, occurrence("mallory", "e1", 1))
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		wantStored(t, spy, 2)
	})
}

func TestLastFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		put(t, m, occurrence("mallory", "e1", 1))
		wantStored(t, spy, 1)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		wantStored(t, spy, 2)
		put(t, m, occurrence("mallory", "e2", 2)) // nothing holds it any more
		wantStored(t, spy, 3)

		// And from the start.
		stop = run(t, m)
		put(t, m, occurrence("mallory", "e3", 3), occurrence("mallory", "e4", 4))
		put(t, m, occurrence("mallory", "e5", 5))
		wantStored(t, spy, 5)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		wantStored(t, spy, 6)
	})
}

func TestFailedFlushIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		put(t, m, occurrence("mallory", "e1", 1))
		spy.fail(errAway)
		advance(time.Second)
		wantComponent(t, m, "repeats", monitor.HealthWarning, "1 not stored yet, never connected, failed: "+errAway.Error())
		put(t, m, occurrence("mallory", "e2", 2)) // still taken
		if err := m.Flush(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("Flush: %v", err)
		}
		if _, err := m.Resolve(t.Context(), all(t, spy)[0].Ref(), "ann", ""); !errors.Is(err, errAway) {
			t.Errorf("Resolve without the repeats: %v", err)
		}
		check.Health(t, m, monitor.HealthCritical) // three failures in a row
		wantStored(t, spy, 1)
		spy.fail(nil)
		put(t, m, occurrence("mallory", "e3", 3))
		advance(time.Second)
		wantStored(t, spy, 4)
		check.Health(t, m, monitor.HealthOK)

		// A last flush that fails is an error, and loses nothing either.
		put(t, m, occurrence("mallory", "e4", 4))
		spy.fail(errAway)
		if err := stop(); !errors.Is(err, errAway) {
			t.Errorf("Run: %v", err)
		}
		spy.fail(nil)
		if err := m.Flush(t.Context()); err != nil {
			t.Errorf("Flush: %v", err)
		}
		wantStored(t, spy, 5)
		check.Health(t, m, monitor.HealthOK)
	})
}

func TestHeldRepeatsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, &alerting.ManagerOptions{MaxBuffered: 8})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		spy.fail(errAway)
		held := 0
		for i := 1; ; i++ {
			a := occurrence("mallory", fmt.Sprint("e", i), i)
			if _, err := m.StoreOccurrences(t.Context(), []*monitor.Occurrence{a}); err != nil {
				break // it was not held, and the store is away
			}
			held++
			synctest.Wait()
		}
		if held != 4 {
			t.Errorf("%d repeats were held, want 4, half of all", held)
		}
		spy.fail(nil)
		put(t, m, occurrence("mallory", "through", 9))
		wantStored(t, spy, 2)
		advance(time.Second)
		wantStored(t, spy, 6)
		// More than a quarter of what may be held is flushed at once.
		for i := range 3 {
			put(t, m, occurrence("mallory", fmt.Sprint("f", i), i))
		}
		synctest.Wait()
		wantStored(t, spy, 9)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestClosingThroughTheManager(t *testing.T) {
	t.Parallel()
	for _, end := range []monitor.AlertStatus{monitor.AlertResolved, monitor.AlertDismissed} {
		t.Run(string(end), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				spy := newSpy()
				m := newManager(t, spy, nil)
				stop := run(t, m)
				id := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
				put(t, m, occurrence("mallory", "e1", 1))
				change := m.Resolve
				if end == monitor.AlertDismissed {
					change = m.Dismiss
				}
				a, err := change(t.Context(), monitor.AlertRef{Organization: "acme", ID: id}, "ann", "")
				if err != nil || a.Status != end || a.Occurrences != 2 {
					t.Errorf("closed as %+v, %v; want 2 occurrences", a, err)
				}
				if d := put(t, m, occurrence("mallory", "e2", 2))[0]; d.Stored != monitor.StoredNew {
					t.Errorf("the next occurrence was %v in a closed alert", d.Stored)
				}
				wantStored(t, spy, 1, 2)
				if err := stop(); err != nil {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}

// An occurrence that comes while its alert is being closed must not wait for the
// next flush in the belief that the alert is open.
func TestOccurrenceWhileClosing(t *testing.T) {
	t.Parallel()
	for _, overtaken := range []string{"Change", "StoreOccurrences"} {
		t.Run(overtaken, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				spy := newSpy()
				m := newManager(t, spy, &alerting.ManagerOptions{CoalesceInterval: time.Hour})
				stop := run(t, m)
				id := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
				ref := monitor.AlertRef{Organization: "acme", ID: id}
				worse := occurrence("mallory", "e1", 1)
				worse.Finding.Severity = monitor.SeverityHigh // goes to the store

				inside := false
				spy.setDuring(func(method string) {
					if method != overtaken || inside {
						return
					}
					inside = true
					switch method {
					case "Change": // closed, and the manager does not know yet
						put(t, m, occurrence("mallory", "e2", 2))
					case "StoreOccurrences": // joined, and the manager does not know yet
						if _, err := m.Resolve(t.Context(), ref, "ann", ""); err != nil {
							t.Errorf("Resolve: %v", err)
						}
					}
				})
				if overtaken == "Change" {
					if _, err := m.Resolve(t.Context(), ref, "ann", ""); err != nil {
						t.Errorf("Resolve: %v", err)
					}
					wantStored(t, spy, 1, 1)
				} else {
					put(t, m, worse)
					put(t, m, occurrence("mallory", "e2", 2))
					wantStored(t, spy, 1, 2)
				}
				if err := stop(); err != nil {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}

func TestClosedByAnotherInstance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy, c := newSpy(), &counts{}
		m := newManager(t, spy, &alerting.ManagerOptions{Metrics: c})
		stop := run(t, m)
		id := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
		repeat := occurrence("mallory", "e1", 1)
		put(t, m, repeat)
		clear(repeat.Finding.References) // they were valid during the call only
		if _, err := spy.Store.Change(t.Context(), monitor.AlertRef{Organization: "acme", ID: id}, monitor.AlertResolved, "ann", ""); err != nil {
			t.Fatal(err)
		}
		advance(time.Second)
		as := all(t, spy)
		if len(as) != 2 || as[0].Finding.Event.ID != "e1" || len(as[0].Finding.References) != 1 || as[0].Finding.References[0].ID != "e1" {
			t.Fatalf("the repeat did not open an alert of its own: %+v", as)
		}
		c.want(t, monitor.AlertsCreated, "failed_auth", 1) // the monitor was told that it is a repeat
		// The manager knows the new one.
		if d := put(t, m, occurrence("mallory", "e2", 2))[0]; d.AlertID != as[0].ID {
			t.Errorf("the next repeat is in %s, want %s", d.AlertID, as[0].ID)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		wantStored(t, spy, 2, 1)
	})
}

func TestHeldRepeatAllocatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, newSpy(), nil)
		stop := run(t, m)
		batch := []*monitor.Occurrence{occurrence("mallory", "e0", 0)}
		put(t, m, batch...)
		n := byte(0)
		allocs := testing.AllocsPerRun(2000, func() {
			n++
			batch[0].EventKey[0] = n
			if ds, err := m.StoreOccurrences(t.Context(), batch); err != nil || ds[0].Stored != monitor.StoredRepeat {
				t.Errorf("%v, %v", ds, err)
			}
		})
		if allocs != 0 {
			t.Errorf("a held repeat takes %v allocations", allocs)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func BenchmarkHeldRepeat(b *testing.B) {
	store := memalerts.New(nil)
	m, err := alerting.NewManager(store, nil)
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- m.Run(b.Context()) }()
	batch := []*monitor.Occurrence{occurrence("mallory", "e0", 0)}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		batch[0].EventKey = monitor.EventKey{1, byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}
		if _, err := m.StoreOccurrences(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}
