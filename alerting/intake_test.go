package alerting_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// TestHeldOnceWhenTheStoreFails has a store fail after repeats of the same call were
// held: whoever passes again what was not stored passes none of them.
func TestHeldOnceWhenTheStoreFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)
		known := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
		repeat := occurrence("mallory", "e1", 1)
		repeat.Count = 50
		spy.fail(errAway)
		os := []*monitor.Occurrence{occurrence("eve", "e2", 1), repeat, occurrence("trudy", "e3", 1)}
		ds, err := m.StoreOccurrences(t.Context(), os)
		check.ErrorIs(t, "StoreOccurrences", err, errAway)
		check.Equal(t, "dispositions", ds, []monitor.Disposition{{}, {AlertID: known, Stored: monitor.StoredRepeat}, {}})
		spy.fail(nil)
		put(t, m, os[0], os[2])
		check.NoError(t, "Flush", m.Flush(t.Context()))
		wantStored(t, spy, 1, 1, 51)
		check.NoError(t, "Run", stop())
	})
}

// TestInvalidOccurrenceKeepsNoOtherBack has the valid occurrences of a call be stored
// or held, and an error that names the others.
func TestInvalidOccurrenceKeepsNoOtherBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		m := newManager(t, spy, nil)
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		ahead := occurrence("eve", "e1", 1)
		ahead.LastSeen = at(0).AddDate(8000, 0, 0)
		nobody := occurrenceOf("", "eve", "e2", 1)
		ds, err := m.StoreOccurrences(t.Context(), []*monitor.Occurrence{
			nil, occurrence("mallory", "e3", 1), ahead, occurrence("trudy", "e4", 1), nobody,
		})
		check.ErrorIs(t, "StoreOccurrences", err, monitor.ErrPermanent)
		check.ErrorText(t, "StoreOccurrences", err, "number 0: ", `number 2, of rule "failed_auth" for organization "acme": `, "number 4, ")
		var results []monitor.StoreResult
		for _, d := range ds {
			results = append(results, d.Stored)
		}
		check.Equal(t, "results", results, []monitor.StoreResult{0, monitor.StoredRepeat, 0, monitor.StoredNew, 0})
		check.Equal(t, "prefixes", strings.Count(err.Error(), "alerting: "), 1)
		check.NoError(t, "Run", stop())
		wantStored(t, spy, 1, 2)

		// Each is permanent by itself, too, whatever is wrong with it.
		for _, o := range []*monitor.Occurrence{nil, ahead, nobody} {
			ds, err := m.StoreOccurrences(t.Context(), []*monitor.Occurrence{o})
			check.ErrorIs(t, "StoreOccurrences", err, monitor.ErrPermanent)
			check.Equal(t, "stored", ds[0].Stored, monitor.StoredNothing)
		}
		// And the text has a bound.
		_, err = m.StoreOccurrences(t.Context(), make([]*monitor.Occurrence, 10_000))
		if n := len(err.Error()); n > 1000 {
			t.Errorf("an error of %d bytes", n)
		}
	})
}

// A halfStore stores every second occurrence, and fails.
type halfStore struct{ *spyStore }

func (s halfStore) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	ds := make([]monitor.Disposition, len(os))
	for i := range os {
		if i%2 == 0 {
			one, err := s.spyStore.StoreOccurrences(ctx, os[i:i+1])
			if err != nil {
				return ds, err
			}
			ds[i] = one[0]
		}
	}
	return ds, errAway
}

// TestPartOfACallIsStored has the manager notify and remember what a store has stored
// before it failed.
func TestPartOfACallIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pager, spy := &recorder{}, newSpy()
		m := newManager(t, halfStore{spy}, &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "pager", Notifier: pager}}})
		stop := run(t, m)
		ds, err := m.StoreOccurrences(t.Context(), []*monitor.Occurrence{occurrence("mallory", "e0", 0), occurrence("eve", "e1", 0)})
		check.ErrorIs(t, "StoreOccurrences", err, errAway)
		check.Equal(t, "stored", ds[0].Stored, monitor.StoredNew)
		check.Equal(t, "not stored", ds[1], monitor.Disposition{})
		synctest.Wait()
		pager.want(t, "mallory")
		check.Equal(t, "held", put(t, m, occurrence("mallory", "e2", 1))[0].Stored, monitor.StoredRepeat)
		wantStored(t, spy, 1)
		if err := m.Flush(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("Flush: %v", err)
		}
		check.NoError(t, "Run", stop())
		wantStored(t, spy, 2)
	})
}

// A shortStore returns too few dispositions.
type shortStore struct{ *spyStore }

func (s shortStore) StoreOccurrences(context.Context, []*monitor.Occurrence) ([]monitor.Disposition, error) {
	return make([]monitor.Disposition, 1), nil
}

func TestTooFewDispositions(t *testing.T) {
	t.Parallel()
	m := newManager(t, shortStore{newSpy()}, nil)
	ds, err := m.StoreOccurrences(t.Context(), []*monitor.Occurrence{occurrence("mallory", "e0", 0), occurrence("eve", "e1", 0)})
	check.ErrorText(t, "StoreOccurrences", err, "1 dispositions for 2 occurrences")
	check.Equal(t, "dispositions", len(ds), 0)
}
