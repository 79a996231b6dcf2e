package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// A switchboard is a notifier with a destination for each organization.
type switchboard struct {
	mu sync.Mutex
	// destinations are called for an organization; the others accept everything.
	destinations map[string]func(ctx context.Context) error
	attempts     map[string]int
	order        []string // organizations whose notifications were accepted
}

func newSwitchboard() *switchboard {
	return &switchboard{destinations: map[string]func(context.Context) error{}, attempts: map[string]int{}}
}

func (s *switchboard) Notify(ctx context.Context, n *alerting.Notification) error {
	organization := n.Alert.OrganizationID
	s.mu.Lock()
	s.attempts[organization]++
	destination := s.destinations[organization]
	s.mu.Unlock()
	if destination != nil {
		if err := destination(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order = append(s.order, organization)
	return nil
}

// set sets what the destination of an organization does.
func (s *switchboard) set(organization string, destination func(ctx context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.destinations[organization] = destination
}

func (s *switchboard) accepted(organization string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.order {
		if o == organization {
			n++
		}
	}
	return n
}

func (s *switchboard) attempted(organization string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts[organization]
}

// fails returns a destination that fails.
func fails(err error) func(context.Context) error { return func(context.Context) error { return err } }

// hangs is a destination that never answers.
func hangs(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// switched returns a running manager whose only route is a switchboard.
func switched(t *testing.T, store *spyStore) (*switchboard, *alerting.Manager, func() error) {
	t.Helper()
	s := newSwitchboard()
	m := newManager(t, store, &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "board", Notifier: s}}})
	return s, m, run(t, m)
}

// raise opens so many alerts of an organization.
func raise(t *testing.T, s monitor.AlertStorer, organization string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		put(t, s, occurrenceOf(organization, fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
	}
}

// TestRetryAfterOfOneOrganization has a destination ask for an hour of peace.
func TestRetryAfterOfOneOrganization(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		board, m, stop := switched(t, newSpy())
		board.set("evil", fails(&alerting.DeliveryError{RetryAfter: time.Hour, Err: errors.New("429 Too Many Requests")}))
		raise(t, m, "evil", 0, 10)
		synctest.Wait()
		raise(t, m, "good", 0, 10)
		synctest.Wait()
		check.Equal(t, "delivered", board.accepted("good"), 10)
		if n := board.attempted("evil"); n > 2 { // as many as may be under way
			t.Errorf("%d attempts although the first asked for peace", n)
		}
		before := board.attempted("evil")
		wantComponent(t, m, "route/board", monitor.HealthWarning, `organization "evil": paused, failed`)
		advance(50 * time.Minute)
		check.Equal(t, "attempts in the hour", board.attempted("evil"), before)
		board.set("evil", nil)
		advance(20 * time.Minute)
		check.Equal(t, "delivered after the hour", board.accepted("evil"), 10)
		wantComponent(t, m, "route/board", monitor.HealthOK, "")
		check.NoError(t, "Run", stop())
	})
}

// TestPauseOutlivesASuccess has a destination ask for an hour of peace while it accepts
// another notification, more slowly.
func TestPauseOutlivesASuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		board, m, stop := switched(t, newSpy())
		board.set("evil", func(context.Context) error {
			if board.attempted("evil") == 1 {
				<-time.After(time.Second)
				return nil
			}
			return &alerting.DeliveryError{RetryAfter: time.Hour, Err: errPager}
		})
		raise(t, m, "evil", 0, 1)
		synctest.Wait()
		raise(t, m, "evil", 1, 10)
		advance(50 * time.Minute)
		check.Equal(t, "delivered", board.accepted("evil"), 1)
		check.Equal(t, "attempts", board.attempted("evil"), 2)
		board.set("evil", nil)
		advance(20 * time.Minute)
		check.Equal(t, "delivered", board.accepted("evil"), 10)
		check.NoError(t, "Run", stop())
	})
}

// TestCallersDeliverForAWhile has calls of one organization, without Run, end although
// much waits for a slow destination of another.
func TestCallersDeliverForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		board, store := newSwitchboard(), newSpy()
		board.set("slow", func(context.Context) error {
			<-time.After(9 * time.Second)
			return nil
		})
		m := newManager(t, store, &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "board", Notifier: board}}})
		raise(t, store, "slow", 0, 900)
		began := time.Now()
		raise(t, m, "good", 0, 1)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("StoreOccurrences took %v", took)
		}
		check.Equal(t, "delivered", board.accepted("good"), 1)
	})
}

// TestDestinationsFail has those of two organizations be down, and each be probed by
// itself.
func TestDestinationsFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		board, m, stop := switched(t, newSpy())
		board.set("down", fails(errPager))
		board.set("out", fails(errPager))
		for _, organization := range []string{"down", "out", "good"} {
			raise(t, m, organization, 0, 50)
		}
		synctest.Wait()
		check.Equal(t, "delivered", board.accepted("good"), 50)
		for _, organization := range []string{"down", "out"} {
			check.Equal(t, "attempts", board.attempted(organization), 5)
		}
		wantComponent(t, m, "route/board", monitor.HealthWarning, " and 1 more: paused, failed 5 times in a row: the pager is off")
		advance(10 * time.Minute)
		for _, organization := range []string{"down", "out"} {
			if n := board.attempted(organization); n < 5+15 || n > 5+21 {
				t.Errorf("%d probes in ten minutes", n-5)
			}
		}
		board.set("out", nil)
		advance(10 * time.Minute)
		check.Equal(t, "delivered", board.accepted("out"), 50)
		wantComponent(t, m, "route/board", monitor.HealthWarning, `organization "down": paused`)
		if err := stop(); err == nil {
			t.Error("Run says nothing of what waits")
		}
	})
}

// TestSlowDestinationOfOneOrganization has a destination that takes all the time there
// is, and a flood for it: the notifications of others are delivered at once.
func TestSlowDestinationOfOneOrganization(t *testing.T) {
	t.Parallel()
	for name, destination := range map[string]func(context.Context) error{
		"that hangs": hangs,
		"that answers late": func(context.Context) error {
			<-time.After(9 * time.Second)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				board, m, stop := switched(t, newSpy())
				board.set("slow", destination)
				raise(t, m, "slow", 0, 900)
				synctest.Wait()
				for i := range 20 {
					raise(t, m, "good", i, i+1)
					synctest.Wait()
					check.Equal(t, "delivered", board.accepted("good"), i+1)
					advance(3700 * time.Millisecond)
				}
				if board.attempted("slow") < 5 {
					t.Errorf("only %d attempts for the slow one", board.attempted("slow"))
				}
				if err := stop(); err == nil {
					t.Error("Run says nothing of what waits")
				}
			})
		})
	}
}

// TestFloodOfNotifications has one of a victim come behind 900 of somebody else.
func TestFloodOfNotifications(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newSpy()
		raise(t, store, "flood", 0, 900)
		advance(time.Second)
		raise(t, store, "victim", 0, 1)
		board := newSwitchboard()
		tenth := func(context.Context) error {
			<-time.After(100 * time.Millisecond)
			return nil
		}
		board.set("flood", tenth)
		board.set("victim", tenth)
		m := newManager(t, store, &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "board", Notifier: board}}})
		stop := run(t, m)
		advance(2 * time.Minute)
		if place := slices.Index(board.order, "victim"); place < 0 || place > 5 {
			t.Errorf("the victim's was delivered as number %d", place)
		}
		check.Equal(t, "delivered", len(board.order), 901)
		check.NoError(t, "Run", stop())
	})
}

// A pauseSpy notes how many organizations are paused.
type pauseSpy struct {
	*spyStore
	most atomic.Int64
}

func (s *pauseSpy) ClaimNotifications(
	ctx context.Context, route string, routes []alerting.Route, paused []string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	s.most.Store(max(s.most.Load(), int64(len(paused)))) // claims of a route take turns
	return s.spyStore.ClaimNotifications(ctx, route, routes, paused, limit, lease)
}

// TestManyDestinationsFail has those of more organizations be down than are remembered.
func TestManyDestinationsFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, organizations := &pauseSpy{spyStore: newSpy()}, 1100
		r := &recorder{err: &alerting.DeliveryError{RetryAfter: time.Hour, Err: errPager}}
		m := newManager(t, store, &alerting.ManagerOptions{
			PollInterval: time.Minute, Routes: []alerting.Route{{Name: "down", Notifier: r}},
		})
		for i := range organizations {
			raise(t, store, fmt.Sprint("tenant", i), 0, 1)
		}
		stop := run(t, m)
		advance(time.Minute)
		check.Equal(t, "attempts", len(r.notifications()), organizations)
		if most := store.most.Load(); most < 900 || most > 1004 { // and those whose deliveries are under way
			t.Errorf("%d were paused at once", most)
		}
		r.fail(nil)
		advance(2 * time.Hour)
		check.Equal(t, "attempts", len(r.notifications()), 2*organizations)
		wantComponent(t, m, "route/down", monitor.HealthOK, "")
		check.NoError(t, "Run", stop())
	})
}

// TestPartialFailure has one mailbox of several be full: the others get everything at
// once.
func TestPartialFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		board, m, stop := switched(t, newSpy())
		board.set("acme", fails(&alerting.DeliveryError{Partial: true, Err: errors.New("reply 452")}))
		raise(t, m, "acme", 0, 100)
		advance(500 * time.Millisecond)
		if n := board.attempted("acme"); n < 100 {
			t.Errorf("%d of 100 were attempted: the route pauses", n)
		}
		board.set("acme", nil)
		advance(10 * time.Minute)
		check.Equal(t, "delivered", board.accepted("acme"), 100)
		check.NoError(t, "Run", stop())
	})
}

// TestFailureIsForgotten has a destination that has refused something not be held
// against the route when nothing waits for it any more.
func TestFailureIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		board, m, stop := switched(t, newSpy())
		board.set("evil", fails(&alerting.DeliveryError{Permanent: true, Err: errors.New("410 Gone")}))
		raise(t, m, "evil", 0, 1)
		advance(10 * time.Minute)
		wantComponent(t, m, "route/board", monitor.HealthWarning, `organization "evil": failed 1 times in a row: refused permanently: 410 Gone`)
		raise(t, m, "good", 0, 1)
		advance(10 * time.Minute)
		wantComponent(t, m, "route/board", monitor.HealthWarning, "410 Gone")
		advance(2 * time.Hour)
		wantComponent(t, m, "route/board", monitor.HealthOK, "")
		check.NoError(t, "Run", stop())
	})
}
