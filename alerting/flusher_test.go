package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

var errNever = fmt.Errorf("no place for this: %w", monitor.ErrPermanent)

// holding returns a running manager that holds so many repeats of each organization.
// They are not flushed by themselves.
func holding(t *testing.T, spy *spyStore, o alerting.ManagerOptions, repeats int, organizations ...string) (m *alerting.Manager, stop func() error) {
	t.Helper()
	o.CoalesceInterval = time.Hour
	m = newManager(t, spy, &o)
	stop = run(t, m)
	for _, organization := range organizations {
		put(t, m, occurrenceOf(organization, "mallory", "first", 0))
	}
	for _, organization := range organizations {
		for i := range repeats {
			put(t, m, occurrenceOf(organization, "mallory", fmt.Sprint("e", i), 1))
		}
	}
	synctest.Wait()
	return m, stop
}

// poisoned returns a fault of a store that cannot store an event.
func poisoned(event string, err error) func(context.Context, []*monitor.Occurrence) error {
	return func(_ context.Context, os []*monitor.Occurrence) error {
		if !slices.ContainsFunc(os, func(o *monitor.Occurrence) bool { return o.Finding.Event.ID == event }) {
			return nil
		}
		if err == nil {
			panic("no idea what this is")
		}
		return err
	}
}

// TestRepeatThatCanNeverBeStored has one among many be dropped, and all others stored.
func TestRepeatThatCanNeverBeStored(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"permanent": errNever, "panic": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				spy, c := newSpy(), &counts{}
				var text journal
				m, stop := holding(t, spy, alerting.ManagerOptions{
					Metrics: c, Logger: slog.New(slog.NewTextHandler(&text, nil)),
				}, 200, "evil", "good", "fine")
				poison := occurrenceOf("evil", "mallory", "poison", 1)
				poison.Count = 3
				put(t, m, poison)
				put(t, m, occurrenceOf("evil", "mallory", "after", 1))
				calls := 0
				fault := poisoned("poison", err)
				spy.setFault(func(ctx context.Context, os []*monitor.Occurrence) error { calls++; return fault(ctx, os) })
				check.NoError(t, "Flush", m.Flush(t.Context()))
				for organization, want := range map[string]int64{"evil": 202, "good": 201, "fine": 201} {
					check.Equal(t, "occurrences of "+organization, stored(t, spy, organization), want)
				}
				if calls > 25 {
					t.Errorf("%d calls of the store for 602 repeats", calls)
				}
				c.want(t, monitor.OccurrencesRefused, "failed_auth", 3)
				for _, want := range []string{"rule=failed_auth", "organization=evil", "event=poison"} {
					if strings.Count(text.String(), want) != 1 {
						t.Errorf("the log has\n%s\nwant %s once", text.String(), want)
					}
				}
				wantComponent(t, m, "repeats", monitor.HealthOK, "")
				check.NoError(t, "second Flush", m.Flush(t.Context()))
				check.NoError(t, "Run", stop())
			})
		})
	}
}

// TestFlushFailsForOneOrganization has the repeats of the others be stored, and those of
// the one when that works again.
func TestFlushFailsForOneOrganization(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m, stop := holding(t, spy, alerting.ManagerOptions{MaxBuffered: 100_000}, 10, "locked", "a", "b", "c")
		for i := range 5000 { // more than goes into many calls
			put(t, m, occurrenceOf("locked", "mallory", fmt.Sprint("many", i), 1))
		}
		spy.setFault(func(_ context.Context, os []*monitor.Occurrence) error {
			if concerns(os, "locked") {
				return errAway
			}
			return nil
		})
		for n := range 2 {
			check.ErrorIs(t, "Flush", m.Flush(t.Context()), errAway)
			for _, organization := range []string{"a", "b", "c"} {
				check.Equal(t, "occurrences of "+organization, stored(t, spy, organization), int64(11+n))
				put(t, m, occurrenceOf(organization, "mallory", fmt.Sprint("later", n), 1))
			}
			check.Equal(t, "occurrences of locked", stored(t, spy, "locked"), 1)
			wantComponent(t, m, "repeats", monitor.HealthWarning, "not stored yet")
		}
		spy.setFault(nil)
		check.NoError(t, "Flush", m.Flush(t.Context()))
		check.Equal(t, "occurrences of locked", stored(t, spy, "locked"), 5011)
		check.NoError(t, "Run", stop())
	})
}

// TestClosingNeedsOwnRepeatsOnly has alerts be closed while the repeats of another
// organization cannot be stored, or take long.
func TestClosingNeedsOwnRepeatsOnly(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(ctx context.Context) error{
		"fails":               func(context.Context) error { return errAway },
		"can never be stored": func(context.Context) error { return errNever },
		"takes long": func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				spy := newSpy()
				m, stop := holding(t, spy, alerting.ManagerOptions{}, 10, "evil", "acme")
				spy.setFault(func(ctx context.Context, os []*monitor.Occurrence) error {
					if concerns(os, "evil") {
						return fault(ctx)
					}
					return nil
				})
				flushed := make(chan error, 1)
				go func() { flushed <- m.Flush(t.Context()) }()
				synctest.Wait() // a call with repeats of both may be under way
				began := time.Now()
				id := all(t, spy)[0]
				for _, a := range all(t, spy) {
					if a.OrganizationID == "acme" {
						id = a
					}
				}
				a, err := m.Resolve(t.Context(), id.Ref(), "ann", "")
				check.NoError(t, "Resolve", err)
				check.Equal(t, "occurrences", a.Occurrences, 11)
				check.Equal(t, "time", time.Since(began), 0)
				<-flushed
				check.Equal(t, "occurrences of acme", stored(t, spy, "acme"), 11)
				spy.setFault(nil)
				check.NoError(t, "Run", stop())
			})
		})
	}
}

// TestFlushComesInChunks has calls of the store be bounded, and what is stored stay
// stored when one fails.
func TestFlushComesInChunks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		var organizations []string
		for i := range 1500 {
			organizations = append(organizations, fmt.Sprint("tenant", i))
		}
		m, stop := holding(t, spy, alerting.ManagerOptions{MaxBuffered: 100_000}, 2, organizations...)
		before, calls := len(spy.sizes()), 0
		spy.setFault(func(context.Context, []*monitor.Occurrence) error {
			if calls++; calls > 3 {
				return errAway
			}
			return nil
		})
		check.ErrorIs(t, "Flush", m.Flush(t.Context()), errAway)
		if calls > 8 {
			t.Errorf("%d calls of a store that is away", calls-3)
		}
		spy.setFault(nil)
		check.NoError(t, "Flush", m.Flush(t.Context()))
		sizes := spy.sizes()[before:]
		sum := 0
		for _, n := range sizes {
			sum += n
		}
		if sum != 3000 || slices.Max(sizes) > 200 {
			t.Errorf("calls of the store had sizes %d", sizes)
		}
		check.NoError(t, "Run", stop())
	})
}

// TestLastFlushOfManyOrganizations has the last flush store whatever may be held within
// its ten seconds, also if a call takes as long as it may on a slow server, and one
// organization cannot be stored.
func TestLastFlushOfManyOrganizations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, &alerting.ManagerOptions{CoalesceInterval: time.Hour, MaxBuffered: 100_000})
		stop := run(t, m)
		var first, repeats []*monitor.Occurrence
		for i := range 10_000 {
			organization := fmt.Sprint("tenant", i)
			first = append(first, occurrenceOf(organization, "mallory", "e0", 0))
			repeats = append(repeats, occurrenceOf(organization, "mallory", "e1", 1))
		}
		put(t, m, first...)
		put(t, m, repeats...)
		check.Equal(t, "calls", len(spy.sizes()), 1)
		spy.setFault(func(_ context.Context, os []*monitor.Occurrence) error {
			<-time.After(time.Duration(len(os)) * 400 * time.Microsecond)
			if concerns(os, "tenant77") {
				return errAway
			}
			return nil
		})
		began := time.Now()
		err := stop()
		check.ErrorIs(t, "Run", err, errAway)
		check.ErrorText(t, "Run", err, "1 repeats not stored: ")
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("the last flush took %v", took)
		}
		spy.setFault(nil)
		check.NoError(t, "Flush", m.Flush(t.Context()))
		check.Equal(t, "calls", spy.sizes()[len(spy.sizes())-1], 1) // of the one
	})
}

// TestLastFlushOutOfTime has a store that is too slow for the last flush keep what it has
// stored, and Run say how much is left, which another Run stores.
func TestLastFlushOutOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m, stop := holding(t, spy, alerting.ManagerOptions{MaxBuffered: 100_000}, 1000, "a", "b", "c")
		spy.setFault(func(context.Context, []*monitor.Occurrence) error {
			<-time.After(3 * time.Second)
			return nil
		})
		check.ErrorText(t, "Run", stop(), "2200 repeats not stored: ", "deadline exceeded")
		spy.setFault(nil)
		check.NoError(t, "Run", run(t, m)())
		for _, organization := range []string{"a", "b", "c"} {
			check.Equal(t, "occurrences", stored(t, spy, organization), 1001)
		}
	})
}

// TestStoreHangsForOneOrganization has a flush give up its repeats in time, and the
// others not wait for ever.
func TestStoreHangsForOneOrganization(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)
		put(t, m, occurrenceOf("evil", "mallory", "e0", 0), occurrence("mallory", "e0", 0))
		spy.setFault(func(ctx context.Context, os []*monitor.Occurrence) error {
			if concerns(os, "evil") {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		for i := range 10 {
			put(t, m, occurrenceOf("evil", "mallory", fmt.Sprint("r", i), 1), occurrence("mallory", fmt.Sprint("r", i), 1))
			advance(time.Second)
		}
		advance(20 * time.Second)
		check.Equal(t, "occurrences of acme", stored(t, spy, "acme"), 11)
		spy.setFault(nil)
		check.NoError(t, "Run", stop())
		check.Equal(t, "occurrences of evil", stored(t, spy, "evil"), 11)
	})
}

// TestFloodLeavesRoomInTheBuffer has one organization fill what it may, while the store
// is slow: the repeats of others are held as before.
func TestFloodLeavesRoomInTheBuffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy, release := newSpy(), make(chan struct{})
		var mu sync.Mutex
		direct := map[string]int{}
		m, stop := holding(t, spy, alerting.ManagerOptions{MaxBuffered: 100}, 0, "flood", "a", "b")
		spy.setFault(func(_ context.Context, os []*monitor.Occurrence) error {
			if len(os) > 1 { // a flush
				<-release
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			direct[os[0].Finding.OrganizationID]++
			return nil
		})
		for i := range 1000 {
			put(t, m, occurrenceOf("flood", "mallory", fmt.Sprint("f", i), 1))
			synctest.Wait()
			if i%100 == 0 {
				put(t, m, occurrenceOf("a", "mallory", fmt.Sprint("r", i), 1))
				put(t, m, occurrenceOf("b", "mallory", fmt.Sprint("r", i), 1))
			}
		}
		mu.Lock()
		check.Equal(t, "stored directly", direct["a"]+direct["b"], 0)
		if n := direct["flood"]; n < 900 {
			t.Errorf("%d of the flood were stored directly, so that %d were held", n, 1000-n)
		}
		mu.Unlock()
		close(release)
		check.NoError(t, "Run", stop())
		for organization, want := range map[string]int64{"flood": 1001, "a": 11, "b": 11} {
			check.Equal(t, "occurrences of "+organization, stored(t, spy, organization), want)
		}
	})
}

// TestFloodLeavesRoomForAlerts has one organization open more alerts than can be known:
// those of others are known all the same.
func TestFloodLeavesRoomForAlerts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m, stop := holding(t, spy, alerting.ManagerOptions{MaxBuffered: 100}, 0)
		for i := range 1000 {
			put(t, m, occurrenceOf("flood", fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
		}
		put(t, m, occurrence("mallory", "e0", 0))
		before := len(spy.sizes())
		put(t, m, occurrence("mallory", "e1", 1))
		check.Equal(t, "calls of the store", len(spy.sizes())-before, 0)
		check.NoError(t, "Run", stop())
		check.Equal(t, "occurrences", stored(t, spy, "acme"), 2)
	})
}

// TestClosingForgetsOwnAlertsOnly has one organization close alerts all the time: the
// repeats of others are held as before.
func TestClosingForgetsOwnAlertsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m, stop := holding(t, spy, alerting.ManagerOptions{}, 0, "acme")
		for i := range 20 {
			id := put(t, m, occurrenceOf("busy", "mallory", fmt.Sprint("e", i), 0))[0].AlertID
			_, err := m.Resolve(t.Context(), monitor.AlertRef{Organization: "busy", ID: id}, "ann", "")
			check.NoError(t, "Resolve", err)
			put(t, m, occurrence("mallory", fmt.Sprint("e", i), 1))
		}
		check.Equal(t, "occurrences of acme", stored(t, spy, "acme"), 1)
		check.NoError(t, "Run", stop())
		check.Equal(t, "occurrences of acme", stored(t, spy, "acme"), 21)
	})
}

// TestLargeRepeatsCountSeveralTimes has a buffer be bounded in bytes.
func TestLargeRepeatsCountSeveralTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m, stop := holding(t, spy, alerting.ManagerOptions{MaxBuffered: 100}, 0, "acme")
		spy.fail(errAway)
		held := 0
		for i := range 100 {
			o := occurrence("mallory", fmt.Sprint("e", i), 1)
			o.Finding.Detail = strings.Repeat("x", 60<<10) // eight places
			if _, err := m.StoreOccurrences(t.Context(), []*monitor.Occurrence{o}); err != nil {
				break
			}
			held++
		}
		check.Equal(t, "held", held, 6) // 48 of 50 places
		spy.fail(nil)
		if err := stop(); err != nil && !errors.Is(err, errAway) {
			t.Errorf("Run: %v", err)
		}
	})
}
