package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// spyClaims are claims that are watched and can be made to go wrong.
type spyClaims struct {
	claims.Set

	mu      sync.Mutex
	lookups [][]claims.AlertKey
	made    [][]claims.Claim
	// before is called first in every method, whose error it returns.
	before func(ctx context.Context, method string) error
	// afterLookup is called when Lookup has its result.
	afterLookup func()
}

func newSpyClaims() *spyClaims { return &spyClaims{Set: newMemoryClaims()} }

func (s *spyClaims) setBefore(f func(ctx context.Context, method string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// begin notes a call.
func (s *spyClaims) begin(ctx context.Context, method string, note func()) error {
	s.mu.Lock()
	note()
	before := s.before
	s.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(ctx, method)
}

func (s *spyClaims) Lookup(ctx context.Context, keys []claims.AlertKey) ([]claims.Claim, error) {
	if err := s.begin(ctx, "Lookup", func() { s.lookups = append(s.lookups, keys) }); err != nil {
		return nil, err
	}
	found, err := s.Set.Lookup(ctx, keys)
	if s.afterLookup != nil {
		s.afterLookup()
	}
	return found, err
}

func (s *spyClaims) Claim(ctx context.Context, made []claims.Claim, ttl time.Duration) error {
	if err := s.begin(ctx, "Claim", func() { s.made = append(s.made, made) }); err != nil {
		return err
	}
	return s.Set.Claim(ctx, made, ttl)
}

func (s *spyClaims) Release(ctx context.Context, i claims.AlertKey) error {
	if err := s.begin(ctx, "Release", func() {}); err != nil {
		return err
	}
	return s.Set.Release(ctx, i)
}

// wantCalls checks how many keys each lookup asked for, and how many claims
// each call made.
func (s *spyClaims) wantCalls(t *testing.T, lookups, made []int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var gotLookups, gotMade []int
	for _, keys := range s.lookups {
		gotLookups = append(gotLookups, len(keys))
	}
	for _, claims := range s.made {
		gotMade = append(gotMade, len(claims))
	}
	if !slices.Equal(gotLookups, lookups) || !slices.Equal(gotMade, made) {
		t.Errorf("lookups of %d, claims of %d, want %d and %d", gotLookups, gotMade, lookups, made)
	}
}

// An instance is a running manager with its view of a store that others use as
// well.
type instance struct {
	*alerting.Manager

	spy *spyStore
}

func newInstance(t *testing.T, store driver.Store, o alerting.ManagerOptions) *instance {
	t.Helper()
	spy := &spyStore{Store: store}
	m := newManager(t, spy, &o)
	stop := run(t, m)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return &instance{m, spy}
}

func (i *instance) wantCalls(t *testing.T, sizes ...int) {
	t.Helper()
	if got := i.spy.sizes(); !slices.Equal(got, sizes) {
		t.Errorf("calls of the store had sizes %d, want %d", got, sizes)
	}
}

func severe(o *monitor.Occurrence, severity monitor.Severity) *monitor.Occurrence {
	o.Finding.Severity = severity
	return o
}

func TestClaimedElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, claims := memalerts.New(nil), newSpyClaims()
		here := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		there := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		first := put(t, there, occurrence("mallory", "e0", 0))[0]
		claims.wantCalls(t, []int{1}, []int{1})

		for _, event := range []string{"e1", "e2"} {
			d := put(t, here, occurrence("mallory", event, 1))[0]
			if want := (monitor.Disposition{AlertID: first.AlertID, Stored: monitor.StoredRepeat}); d != want {
				t.Errorf("disposition of %s is %+v, want %+v", event, d, want)
			}
		}
		here.wantCalls(t)
		wantStored(t, store, 1)
		claims.wantCalls(t, []int{1, 1}, []int{1}) // the second is known
		advance(time.Second)
		here.wantCalls(t, 2)
		wantStored(t, store, 3)
		claims.wantCalls(t, []int{1, 1}, []int{1, 1}) // the flush claims an incident once

		// Delivered again, to either.
		put(t, here, occurrence("mallory", "e0", 0))
		put(t, there, occurrence("mallory", "e1", 1))
		advance(time.Second)
		wantStored(t, store, 3)

		// Another tenant's and another incident's are none of it.
		stranger := occurrence("mallory", "e0", 0)
		stranger.Finding.OrganizationID = "other"
		if ds := put(t, here, stranger, occurrence("eve", "e3", 1)); ds[0].Stored != monitor.StoredNew || ds[1].Stored != monitor.StoredNew {
			t.Errorf("dispositions of others are %+v", ds)
		}
	})
}

// An incident is asked for and claimed once, however many occurrences a batch has.
func TestClaimsOfABatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, claims := memalerts.New(nil), newSpyClaims()
		here := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		put(t, here,
			occurrence("mallory", "e0", 0),
			severe(occurrence("mallory", "e1", 1), monitor.SeverityHigh),
			occurrence("eve", "e2", 2),
			occurrence("mallory", "e3", 3),
		)
		claims.wantCalls(t, []int{2}, []int{2})
		there := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		put(t, there, severe(occurrence("mallory", "e4", 4), monitor.SeverityHigh), occurrence("eve", "e5", 5))
		there.wantCalls(t)
		claims.wantCalls(t, []int{2, 2}, []int{2})
	})
}

// TestClaimsAreBounded has one organization open more alerts at once than a call of the
// claims should take.
func TestClaimsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, claims := memalerts.New(nil), newSpyClaims()
		here := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		var flood []*monitor.Occurrence
		for i := range 3000 {
			flood = append(flood, occurrenceOf("flood", fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
		}
		put(t, here, flood...)
		claims.wantCalls(t, []int{1000}, []int{1000})
		put(t, here, occurrence("mallory", "e0", 0))
		claims.wantCalls(t, []int{1000, 1}, []int{1000, 1})
		check.Equal(t, "alerts", check.Must(here.Count(t.Context(), alerting.Query{Organization: "flood"}))(t), 3000)
	})
}

func TestClosedElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, claims := memalerts.New(nil), newSpyClaims()
		here := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		there := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		first := put(t, here, occurrence("mallory", "e0", 0))[0]
		ref := monitor.AlertRef{Organization: "acme", ID: first.AlertID}
		if _, err := here.Resolve(t.Context(), ref, "ann", ""); err != nil {
			t.Fatal(err)
		}
		second := put(t, there, occurrence("mallory", "e1", 1))[0]
		if second.Stored != monitor.StoredNew || second.AlertID == first.AlertID {
			t.Errorf("after resolving the next occurrence was %+v", second)
		}
		ref.ID = second.AlertID
		if _, err := here.Dismiss(t.Context(), ref, "ann", ""); err != nil {
			t.Fatal(err)
		}
		if third := put(t, here, occurrence("mallory", "e2", 2))[0]; third.Stored != monitor.StoredNew {
			t.Errorf("after dismissing the next occurrence was %+v", third)
		}
		wantStored(t, store, 1, 1, 1)
	})
}

// A change that fails releases nothing.
func TestClaimOutlivesFailedChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, claims := memalerts.New(nil), newSpyClaims()
		here := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		there := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		first := put(t, here, occurrence("mallory", "e0", 0))[0]
		ref := monitor.AlertRef{Organization: "acme", ID: first.AlertID, Version: 7}
		if _, err := here.Resolve(t.Context(), ref, "ann", ""); !errors.Is(err, monitor.ErrConflict) {
			t.Fatalf("Resolve: %v", err)
		}
		put(t, there, occurrence("mallory", "e1", 1))
		there.wantCalls(t)
	})
}

// A lookup that was answered before a release is of no use after it.
func TestLookupDuringResolve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, claims := memalerts.New(nil), newSpyClaims()
		here := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
		id := put(t, here, occurrence("mallory", "e0", 0))[0].AlertID
		advance(2 * time.Second) // known no longer
		if err := claims.Claim(t.Context(), claims.made[0], time.Hour); err != nil {
			t.Fatal(err)
		}
		resolved := make(chan struct{})
		claims.afterLookup = func() { <-resolved }
		disposition := make(chan monitor.Disposition, 1)
		claims.setBefore(func(_ context.Context, method string) error {
			if method == "Release" {
				go func() { disposition <- put(t, here, occurrence("mallory", "e1", 1))[0] }()
				synctest.Wait() // for its lookup
			}
			return nil
		})
		if _, err := here.Resolve(t.Context(), monitor.AlertRef{Organization: "acme", ID: id}, "ann", ""); err != nil {
			t.Fatal(err)
		}
		close(resolved)
		synctest.Wait()
		if len(disposition) == 0 {
			t.Fatal("nothing was released")
		}
		if d := <-disposition; d.Stored != monitor.StoredNew {
			t.Errorf("the occurrence was %+v", d)
		}
	})
}

// The claim of an alert that is closed holds an occurrence back for an interval,
// and no longer.
func TestStaleClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, claims, pager := memalerts.New(nil), newSpyClaims(), &recorder{}
		o := alerting.ManagerOptions{Claims: claims, Routes: []alerting.Route{{Name: "pager", Notifier: pager}}}
		here, there := newInstance(t, store, o), newInstance(t, store, o)
		first := put(t, here, occurrence("mallory", "e0", 0))[0]
		claims.setBefore(func(_ context.Context, method string) error {
			if method == "Release" {
				return errors.New("lost")
			}
			return nil
		})
		if _, err := here.Resolve(t.Context(), monitor.AlertRef{Organization: "acme", ID: first.AlertID}, "ann", ""); err != nil {
			t.Fatal(err)
		}
		check.Health(t, here.Manager, monitor.HealthWarning)
		if d := put(t, there, occurrence("mallory", "e1", 600))[0]; d.AlertID != first.AlertID || d.Stored != monitor.StoredRepeat {
			t.Errorf("disposition is %+v, want that of a repeat", d)
		}
		wantStored(t, store, 1)
		advance(time.Second)
		wantStored(t, store, 1, 1)
		pager.wantReasons(t, alerting.ReasonOpened, alerting.ReasonOpened)
		d := put(t, there, occurrence("mallory", "e2", 601))[0]
		if d.AlertID == first.AlertID || d.Stored != monitor.StoredRepeat {
			t.Errorf("disposition is %+v, want that of a repeat of the new alert", d)
		}
	})
}

// liars are claims of everything.
type liars struct{ claims.Set }

func (liars) Lookup(_ context.Context, keys []claims.AlertKey) (found []claims.Claim, _ error) {
	for _, key := range keys {
		found = append(found, claims.Claim{AlertKey: key, AlertID: "nonsense", Severity: monitor.SeverityCritical})
	}
	return found, nil
}

func TestClaimsLie(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, pager := memalerts.New(nil), &recorder{}
		here := newInstance(t, store, alerting.ManagerOptions{
			Claims: liars{newMemoryClaims()}, MaxBuffered: 1, Routes: []alerting.Route{{Name: "pager", Notifier: pager}},
		})
		put(t, here, occurrence("mallory", "e0", 0))
		wantStored(t, store)
		advance(time.Second)
		wantStored(t, store, 1)
		pager.want(t, "mallory")
		if d := put(t, here, occurrence("mallory", "e1", 1))[0]; d.AlertID != all(t, store)[0].ID {
			t.Errorf("disposition is %+v although the store knows better", d)
		}
		advance(time.Second)
		wantStored(t, store, 2)
	})
}

func TestClaimedSeverity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, claims := memalerts.New(nil), newSpyClaims()
		o := alerting.ManagerOptions{Claims: claims}
		one, two, three := newInstance(t, store, o), newInstance(t, store, o), newInstance(t, store, o)
		put(t, one, occurrence("mallory", "e0", 0))
		put(t, two, severe(occurrence("mallory", "e1", 1), monitor.SeverityHigh))
		two.wantCalls(t, 1)
		if a := all(t, store)[0]; a.Severity != monitor.SeverityHigh || a.Occurrences != 2 {
			t.Errorf("the alert has severity %v and %d occurrences", a.Severity, a.Occurrences)
		}
		put(t, three, severe(occurrence("mallory", "e2", 2), monitor.SeverityHigh))
		three.wantCalls(t)
		put(t, three, severe(occurrence("mallory", "e3", 3), monitor.SeverityCritical))
		three.wantCalls(t, 1)
	})
}

// TestClaimsAway has claims that fail at once, and some that hang.
func TestClaimsAway(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault func(context.Context, string) error
		takes time.Duration
	}{
		"fail": {func(context.Context, string) error { return errAway }, 0},
		"hang": {func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store, claims := memalerts.New(nil), newSpyClaims()
				here := newInstance(t, store, alerting.ManagerOptions{Claims: claims})
				claims.setBefore(tt.fault)
				open := func(key string, takes time.Duration) {
					t.Helper()
					began := time.Now()
					if d := put(t, here, occurrence(key, key, 0))[0]; d.Stored != monitor.StoredNew {
						t.Errorf("%s was %v", key, d.Stored)
					}
					if took := time.Since(began); took != takes {
						t.Errorf("%s took %v, want %v", key, took, takes)
					}
				}
				check.Health(t, here.Manager, monitor.HealthOK)
				open("a", tt.takes)
				for _, key := range []string{"b", "c"} {
					open(key, 0)
				}
				claims.wantCalls(t, []int{1}, nil)
				check.Health(t, here.Manager, monitor.HealthWarning)
				advance(5 * time.Second)
				open("d", tt.takes)
				claims.wantCalls(t, []int{1, 1}, nil)
				check.Health(t, here.Manager, monitor.HealthWarning)

				claims.setBefore(nil)
				open("e", 0) // it is not known yet that they are back
				claims.wantCalls(t, []int{1, 1}, nil)
				advance(5 * time.Second)
				open("f", 0)
				claims.wantCalls(t, []int{1, 1, 1}, []int{1})
				check.Health(t, here.Manager, monitor.HealthOK)
				wantStored(t, store, 1, 1, 1, 1, 1, 1)
			})
		})
	}
}

func TestClaimsHealthSaysWhy(t *testing.T) {
	t.Parallel()
	claims := newSpyClaims()
	claims.setBefore(func(context.Context, string) error { return errAway })
	m := newManager(t, memalerts.New(nil), &alerting.ManagerOptions{Claims: claims})
	put(t, m, occurrence("mallory", "e0", 0))
	if h := check.Health(t, m, monitor.HealthWarning); h.Name != "claims" || !strings.Contains(h.Message, errAway.Error()) {
		t.Errorf("health is %+v", h)
	}
}

// That a caller gives up says nothing of the claims.
func TestClaimsCallerGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		claims := newSpyClaims()
		here := newInstance(t, memalerts.New(nil), alerting.ManagerOptions{Claims: claims})
		claims.setBefore(func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, _ = here.StoreOccurrences(ctx, []*monitor.Occurrence{occurrence("mallory", "e0", 0)}) // the store decides
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("it took %v although the caller gave up", took)
		}
		check.Health(t, here.Manager, monitor.HealthOK)
		claims.setBefore(nil)
		put(t, here, occurrence("eve", "e1", 0))
		claims.wantCalls(t, []int{1, 1}, []int{1, 1})
	})
}

func TestClaimsAreNotAskedFor(t *testing.T) {
	t.Parallel()
	invalid := occurrence("mallory", "e1", 1)
	invalid.Count = -1
	for name, tt := range map[string]struct {
		options alerting.ManagerOptions
		stopped bool
		o       *monitor.Occurrence
		made    []int
	}{
		"without Run":           {stopped: true, o: occurrence("mallory", "e1", 1), made: []int{1}},
		"if nothing is held":    {options: alerting.ManagerOptions{CoalesceInterval: -1}, o: occurrence("mallory", "e1", 1)},
		"for one that is wrong": {o: invalid},
		"for none":              {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				claims := newSpyClaims()
				tt.options.Claims = claims
				m := newManager(t, memalerts.New(nil), &tt.options)
				if !tt.stopped {
					stop := run(t, m)
					defer func() {
						if err := stop(); err != nil {
							t.Errorf("Run: %v", err)
						}
					}()
				}
				_, _ = m.StoreOccurrences(t.Context(), []*monitor.Occurrence{tt.o}) // it may be refused
				claims.wantCalls(t, nil, tt.made)
				check.Health(t, m, monitor.HealthOK)
			})
		})
	}
}

// memoryClaims are a claims.Set in memory.
type memoryClaims struct {
	mu   sync.Mutex
	made map[claims.AlertKey]memoryClaim
}

type memoryClaim struct {
	claims.Claim
	until time.Time
}

func newMemoryClaims() *memoryClaims { return &memoryClaims{made: map[claims.AlertKey]memoryClaim{}} }

func (m *memoryClaims) Lookup(ctx context.Context, keys []claims.AlertKey) (found []claims.Claim, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if c, ok := m.made[key]; ok && time.Now().Before(c.until) && ctx.Err() == nil {
			found = append(found, c.Claim)
		}
	}
	return found, ctx.Err()
}

func (m *memoryClaims) Claim(ctx context.Context, made []claims.Claim, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range made {
		if ctx.Err() == nil {
			m.made[c.AlertKey] = memoryClaim{c, time.Now().Add(ttl)}
		}
	}
	return ctx.Err()
}

func (m *memoryClaims) Release(ctx context.Context, key claims.AlertKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() == nil {
		delete(m.made, key)
	}
	return ctx.Err()
}
