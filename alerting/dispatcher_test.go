package alerting_test

import (
	"bytes"
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
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

var errPager = errors.New("the pager is off")

// deadLetters returns the failures of all dead letters.
func deadLetters(t *testing.T, s driver.Store) (failures []string) {
	t.Helper()
	q := alerting.DeadLetterQuery{Organization: alerting.AllOrganizations, Limit: alerting.MaxLimit}
	dead, err := s.DeadLetters(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range dead {
		failures = append(failures, n.Failure)
	}
	return failures
}

// TestDeliveryDuration has a notifier that takes its time, and fails once.
func TestDeliveryDuration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, failed := &counts{}, false
		slow := alerting.NotifierFunc(func(context.Context, *alerting.Notification) error {
			advance(2 * time.Second)
			if !failed {
				failed = true
				return errPager
			}
			return nil
		})
		m := newManager(t, newSpy(), &alerting.ManagerOptions{
			Metrics: c, Routes: []alerting.Route{{Name: "slow", Notifier: slow}},
		})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		advance(time.Minute)
		c.want(t, monitor.DeliveryDuration, "slow", int64(4*time.Second))
		check.NoError(t, "Run", stop())
	})
}

func TestFailingNotifier(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad, good, c := &recorder{err: errPager}, &recorder{}, &counts{}
		panics := alerting.NotifierFunc(func(context.Context, *alerting.Notification) error { panic("no pager") })
		m := newManager(t, newSpy(), &alerting.ManagerOptions{
			Metrics: c,
			Routes: []alerting.Route{
				{Name: "bad", Notifier: bad},
				{Name: "panics", Notifier: panics, Rules: []string{"failed_auth"}},
				{Name: "good", Notifier: good},
			},
		})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		synctest.Wait()
		good.want(t, "mallory")
		bad.want(t, "mallory")
		c.want(t, monitor.NotificationsFailed, "bad", 1)
		c.want(t, monitor.NotificationsFailed, "panics", 1)
		c.want(t, monitor.NotificationsDelivered, "good", 1)
		check.Health(t, m, monitor.HealthWarning)
		wantComponent(t, m, "route/bad", monitor.HealthWarning, errPager.Error())
		wantComponent(t, m, "route/panics", monitor.HealthWarning, "no pager")
		put(t, m, occurrence("eve", "e1", 0)) // does not wait for the first
		synctest.Wait()
		good.want(t, "mallory", "eve")
		bad.fail(nil)
		advance(10 * time.Second)
		if got := bad.notifications(); len(got) < 4 || got[len(got)-1].Attempts < 2 {
			t.Errorf("the notifier that failed got %d notifications", len(got))
		}
		wantComponent(t, m, "route/bad", monitor.HealthOK, "")
		if err := stop(); err == nil || !strings.Contains(err.Error(), "2 notifications not delivered") {
			t.Errorf("Run: %v", err)
		}
	})
}

// TestFailureTexts makes sure that the tenant, who may see dead letters, sees what a
// notifier says for him and nothing else, and that the operator sees all of it.
func TestFailureTexts(t *testing.T) {
	t.Parallel()
	refused := &alerting.DeliveryError{Permanent: true, Err: errPager, Detail: "10.1.2.3 is off"}
	for name, test := range map[string]struct {
		notify           func(context.Context) error
		tenant, operator string
	}{
		"DeliveryError": {func(context.Context) error { return refused }, "refused permanently: the pager is off", "the pager is off (10.1.2.3 is off)"},
		"wrapped":       {func(context.Context) error { return fmt.Errorf("at 10.1.2.3: %w", refused) }, "refused permanently: the pager is off", "at 10.1.2.3: refused"},
		"any error":     {func(context.Context) error { return errors.New("dial 10.1.2.3") }, "the notifier failed", "dial 10.1.2.3"},
		"panic":         {func(context.Context) error { panic("at 10.1.2.3") }, "the notifier failed", "at 10.1.2.3"},
		"timeout": {func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("dial 10.1.2.3: %w", ctx.Err())
		}, "timed out", "dial 10.1.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				spy := newSpy()
				m := newManager(t, spy, &alerting.ManagerOptions{
					Logger: slog.New(slog.NewTextHandler(&log, nil)),
					Routes: []alerting.Route{{Name: "pager", ExpireAfter: time.Nanosecond, Notifier: alerting.NotifierFunc(
						func(ctx context.Context, _ *alerting.Notification) error {
							<-time.After(time.Nanosecond) // until it has expired
							return test.notify(ctx)
						})}},
				})
				stop := run(t, m)
				put(t, m, occurrence("mallory", "e0", 0))
				advance(time.Minute)
				if dead := deadLetters(t, spy); !slices.Equal(dead, []string{test.tenant}) {
					t.Errorf("dead letters %q, want %q", dead, test.tenant)
				}
				if err := stop(); err != nil {
					t.Errorf("Run: %v", err)
				}
				if !strings.Contains(log.String(), test.operator) {
					t.Errorf("the log lacks %q:\n%s", test.operator, &log)
				}
			})
		})
	}
}

// TestBackoff makes sure that attempts are spread under a limit that grows, and
// that the notification becomes a dead letter in the end.
func TestBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Duration
		began := time.Now()
		bad := alerting.NotifierFunc(func(context.Context, *alerting.Notification) error {
			attempts = append(attempts, time.Since(began))
			return errPager
		})
		spy, c := newSpy(), &counts{}
		m := newManager(t, spy, &alerting.ManagerOptions{
			Metrics: c, PollInterval: 200 * time.Millisecond,
			Routes: []alerting.Route{{Name: "bad", Notifier: bad, ExpireAfter: 2 * time.Hour}},
		})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		advance(3 * time.Hour)
		if len(attempts) < 10 || len(attempts) > 200 {
			t.Errorf("%d attempts in two hours", len(attempts))
		}
		for i := 1; i < len(attempts); i++ {
			limit := min(time.Second<<min(i-1, 10), 5*time.Minute)
			if i >= 5 {
				limit = max(limit, 30*time.Second) // the breaker
			}
			if gap := attempts[i] - attempts[i-1]; gap > limit+250*time.Millisecond {
				t.Errorf("%v passed before attempt %d, more than %v", gap, i+1, limit)
			}
		}
		if last := attempts[len(attempts)-1]; last < 2*time.Hour || last > 2*time.Hour+6*time.Minute {
			t.Errorf("the last attempt was after %v", last)
		}
		c.want(t, monitor.NotificationsFailed, "bad", int64(len(attempts)))
		c.want(t, monitor.NotificationsDead, "bad", 1)
		if dead := deadLetters(t, spy); !slices.Equal(dead, []string{"the notifier failed"}) {
			t.Errorf("dead letters %q", dead)
		}
		wantComponent(t, m, "outbox", monitor.HealthWarning, "1 dead letters")
		if err := stop(); err != nil { // nothing waits
			t.Errorf("Run: %v", err)
		}
	})
}

func TestRefusedPermanently(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, spy, c := &recorder{err: &alerting.DeliveryError{Permanent: true, Err: errors.New("410 Gone")}}, newSpy(), &counts{}
		m := newManager(t, spy, &alerting.ManagerOptions{Metrics: c, Routes: []alerting.Route{{Name: "gone", Notifier: r}}})
		stop := run(t, m)
		for i := range 20 { // does not open the breaker
			put(t, m, occurrence(fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
		}
		synctest.Wait()
		if n := len(r.notifications()); n != 20 {
			t.Errorf("%d were tried, want 20", n)
		}
		if dead := deadLetters(t, spy); len(dead) != 20 || dead[0] != "refused permanently: 410 Gone" {
			t.Errorf("dead letters %q", dead)
		}
		// They are delivered after all.
		r.fail(nil)
		if n, err := m.Redrive(t.Context(), "acme", "gone"); n != 20 || err != nil {
			t.Errorf("Redrive: %d, %v", n, err)
		}
		advance(2 * time.Second)
		c.want(t, monitor.NotificationsDelivered, "gone", 20)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, c, spy := &recorder{err: errPager}, &counts{}, newSpy()
		m := newManager(t, spy, &alerting.ManagerOptions{Metrics: c, Routes: []alerting.Route{{Name: "down", Notifier: r}}})
		const alerts = 100
		for i := range alerts {
			put(t, spy, occurrence(fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
		}
		stop := run(t, m)
		synctest.Wait()
		if n := len(r.notifications()); n != 5 {
			t.Errorf("%d were tried before the breaker opened, want 5", n)
		}
		wantComponent(t, m, "route/down", monitor.HealthWarning, `organization "acme": paused, failed 5 times in a row: the pager is off`)
		advance(29 * time.Second)
		if n := len(r.notifications()); n != 5 {
			t.Errorf("%d were tried while the breaker was open", n-5)
		}
		advance(10 * time.Minute) // one at a time, every 30 seconds
		if n := len(r.notifications()); n < 5+15 || n > 5+21 {
			t.Errorf("%d were tried in ten minutes", n-5)
		}
		r.fail(nil)
		advance(10 * time.Minute)
		c.want(t, monitor.NotificationsDelivered, "down", alerts)
		check.Health(t, m, monitor.HealthOK)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{err: &alerting.DeliveryError{RetryAfter: 20 * time.Minute, Err: errors.New("429 Too Many Requests")}}
		m := newManager(t, newSpy(), &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "busy", Notifier: r, Concurrency: 1}}})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0), occurrence("eve", "e1", 0))
		advance(19 * time.Minute)
		r.want(t, "mallory") // the route is left alone
		r.fail(nil)
		advance(2 * time.Minute)
		if n := len(r.notifications()); n != 3 {
			t.Errorf("%d attempts, want 3", n)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestSlowNotifierDelaysNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release, good, c := make(chan struct{}), &recorder{}, &counts{}
		var mu sync.Mutex
		under, most := 0, 0
		slow := alerting.NotifierFunc(func(ctx context.Context, _ *alerting.Notification) error {
			mu.Lock()
			under++
			most = max(most, under)
			mu.Unlock()
			defer func() { mu.Lock(); under--; mu.Unlock() }()
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		m := newManager(t, newSpy(), &alerting.ManagerOptions{
			Metrics: c,
			Routes:  []alerting.Route{{Name: "slow", Notifier: slow, Concurrency: 3, Timeout: 7 * time.Second}, {Name: "good", Notifier: good}},
		})
		stop := run(t, m)
		began := time.Now()
		var batch []*monitor.Occurrence
		for i := range 100 {
			batch = append(batch, occurrence(fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
		}
		put(t, m, batch...)
		if took := time.Since(began); took != 0 {
			t.Errorf("StoreOccurrences waited %v for the notifier", took)
		}
		synctest.Wait()
		if n := len(good.alerts()); n != 100 {
			t.Errorf("the other notifier got %d alerts", n)
		}
		advance(6900 * time.Millisecond)
		c.want(t, monitor.NotificationsFailed, "slow", 0)
		advance(200 * time.Millisecond)
		c.want(t, monitor.NotificationsFailed, "slow", 2)
		close(release)
		advance(time.Minute)
		c.want(t, monitor.NotificationsDelivered, "slow", 100)
		if most != 2 { // of one organization
			t.Errorf("%d deliveries were under way at a time, want 2", most)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// TestWithoutRun has StoreOccurrences and the changes of status deliver.
func TestWithoutRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{err: errPager}
		m := newManager(t, newSpy(), &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "pager", Notifier: r}}})
		put(t, m, occurrence("mallory", "e0", 0)) // does not fail
		r.want(t, "mallory")
		check.Health(t, m, monitor.HealthWarning)
		// Run tries again what waits, and tells at its end what is left.
		stop := run(t, m)
		put(t, m, occurrence("eve", "e1", 0))
		synctest.Wait()
		if err := stop(); err == nil || !strings.Contains(err.Error(), "2 notifications not delivered") {
			t.Errorf("Run: %v", err)
		}
		r.fail(nil)
		stop = run(t, m)
		advance(5 * time.Second)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		check.Health(t, m, monitor.HealthOK)
		before := len(r.notifications())
		put(t, m, occurrence("trudy", "e2", 0)) // as before Run
		if got := r.notifications(); len(got) != before+1 || got[before].Alert.Finding.Key != "trudy" {
			t.Errorf("%d notifications after Run", len(got)-before)
		}
	})
}

// TestInstancesShareAnOutbox has two managers on one store deliver each
// notification once, also those of one that is gone.
func TestInstancesShareAnOutbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, r := newSpy(), &recorder{}
		o := &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "pager", Notifier: r}}}
		first, second := newManager(t, store, o), newManager(t, store, o)
		stopFirst, stopSecond := run(t, first), run(t, second)
		// An instance that has no routes leaves them to the others.
		quiet := newManager(t, store, nil)
		stopQuiet := run(t, quiet)
		const alerts = 50
		for i := range alerts {
			m := []*alerting.Manager{first, second, quiet}[i%3]
			put(t, m, occurrence(fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
		}
		advance(5 * time.Second)
		seen := map[string]int{}
		for _, n := range r.notifications() {
			seen[n.Key]++
			if seen[n.Key] > 1 {
				t.Errorf("%s was delivered again", n.Key)
			}
		}
		if len(seen) != alerts {
			t.Errorf("%d were delivered, want %d", len(seen), alerts)
		}
		if err := errors.Join(stopFirst(), stopSecond(), stopQuiet()); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// TestDiesWhileDelivering has another instance deliver what one has claimed that
// is gone.
func TestDiesWhileDelivering(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, r := newSpy(), &recorder{}
		put(t, store, occurrence("mallory", "e0", 0))
		// Claimed, then gone while delivering.
		ns, err := store.ClaimNotifications(t.Context(), "pager", pagerRoutes("pager"), nil, 10, 30*time.Second)
		if err != nil || len(ns) != 1 {
			t.Fatalf("ClaimNotifications: %v, %v", ns, err)
		}
		m := newManager(t, store, &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "pager", Notifier: r}}})
		stop := run(t, m)
		advance(28 * time.Second)
		r.want(t)
		advance(4 * time.Second)
		r.want(t, "mallory")
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestOldNotificationsAreDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, r, c := newSpy(), &recorder{}, &counts{}
		put(t, store, occurrence("mallory", "e0", 0))
		advance(25 * time.Hour)
		put(t, store, occurrence("eve", "e1", 0))
		m := newManager(t, store, &alerting.ManagerOptions{Metrics: c, Routes: []alerting.Route{{Name: "pager", Notifier: r}}})
		stop := run(t, m)
		r.want(t, "eve")
		advance(15 * time.Second) // what was dropped is looked at so often
		c.want(t, monitor.NotificationsDropped, "too_old", 1)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestFullOutboxIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, r, c := newSpy(), &recorder{err: errPager}, &counts{}
		store.Store = memalerts.New(&memalerts.Options{MaxNotifications: 10})
		m := newManager(t, store, &alerting.ManagerOptions{Metrics: c, Routes: []alerting.Route{{Name: "pager", Notifier: r}}})
		stop := run(t, m)
		for i := range 100 {
			put(t, m, occurrence(fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
		}
		advance(time.Minute)
		c.want(t, monitor.NotificationsDropped, "too_many", 90)
		c.want(t, monitor.NotificationBacklog, "", 10*4) // a gauge, read every 15 seconds
		if err := stop(); err == nil {
			t.Error("Run says nothing of what waits")
		}
	})
}

// A failingOutbox cannot be worked with.
type failingOutbox struct{ *spyStore }

func (failingOutbox) ClaimNotifications(
	context.Context, string, []alerting.Route, []string, int, time.Duration,
) ([]*alerting.Notification, error) {
	return nil, errAway
}

func (failingOutbox) RunTimers(context.Context) (escalated, resolved int, err error) {
	return 0, 0, errAway
}

func TestFailingOutbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := failingOutbox{newSpy()}
		m := newManager(t, store, &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "pager", Notifier: &recorder{}}}})
		stop := run(t, m)
		advance(time.Second)
		check.Health(t, m, monitor.HealthWarning)
		wantComponent(t, m, "outbox", monitor.HealthWarning, "run timers: the store is away")
		wantComponent(t, m, "route/pager", monitor.HealthWarning, "the store is away")
		put(t, m, occurrence("mallory", "e0", 0)) // does not fail
		if err := stop(); err == nil || !strings.Contains(err.Error(), "1 notifications not delivered") {
			t.Errorf("Run: %v", err)
		}
	})
}

// TestRunEndsInTime has Run cut off a delivery that takes long.
func TestRunEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := alerting.NotifierFunc(func(ctx context.Context, _ *alerting.Notification) error {
			<-ctx.Done()
			return ctx.Err()
		})
		store := newSpy()
		m := newManager(t, store, &alerting.ManagerOptions{
			Routes: []alerting.Route{{Name: "slow", Notifier: slow, Timeout: time.Hour}},
		})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		synctest.Wait()
		began := time.Now()
		if err := stop(); err == nil || !strings.Contains(err.Error(), "1 notifications not delivered") {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("Run took %v to end", took)
		}
		advance(time.Second) // it was settled, not left to its lease
		ns, err := store.ClaimNotifications(t.Context(), "slow", pagerRoutes("slow"), nil, 1, time.Minute)
		if len(ns) != 1 || err != nil || !strings.Contains(ns[0].Failure, "canceled") {
			t.Errorf("ClaimNotifications: %v, %v", ns, err)
		}
	})
}

// TestPoisonedNotifications makes sure that those which the destination can never
// take do not keep back the others, although the breaker lets one by at a time.
func TestPoisonedNotifications(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		good := 0
		picky := alerting.NotifierFunc(func(_ context.Context, n *alerting.Notification) error {
			if strings.HasPrefix(n.Alert.Finding.Key, "bad") {
				var none *alerting.DeliveryError
				return none // not nil, and not of any use
			}
			mu.Lock()
			defer mu.Unlock()
			good++
			return nil
		})
		spy := newSpy()
		m := newManager(t, spy, &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "picky", Notifier: picky}}})
		for i := range 20 {
			put(t, spy, occurrence(fmt.Sprint("bad", i), fmt.Sprint("e", i), 0))
		}
		put(t, spy, occurrence("good", "e", 0))
		stop := run(t, m)
		advance(20 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if good != 1 {
			t.Error("the good one waits")
		}
		if err := stop(); err == nil {
			t.Error("Run says nothing of what waits")
		}
	})
}

// TestErrorsOfANotifier has errors that are odd.
func TestErrorsOfANotifier(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"empty":     &alerting.DeliveryError{},
		"nil":       (*alerting.DeliveryError)(nil),
		"very long": errors.New(strings.Repeat("ä", 10_000)),
		"not UTF-8": errors.New("\xff\xfe"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, spy := &recorder{err: failure}, newSpy()
				m := newManager(t, spy, &alerting.ManagerOptions{
					Routes: []alerting.Route{{Name: "odd", Notifier: r, ExpireAfter: time.Microsecond}},
				})
				put(t, spy, occurrence("mallory", "e0", 0)) // new when it is routed, old when it fails again
				stop := run(t, m)
				advance(2 * time.Second)
				dead := deadLetters(t, spy)
				if len(dead) != 1 || len(dead[0]) > 1000 || !utf8.ValidString(dead[0]) {
					t.Errorf("dead letters %q", dead)
				}
				if err := stop(); err != nil {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}

// TestLeavingCaller makes sure that a caller who gives up is not held against the
// destination.
func TestLeavingCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waiting := alerting.NotifierFunc(func(ctx context.Context, _ *alerting.Notification) error {
			<-ctx.Done()
			return ctx.Err()
		})
		m := newManager(t, newSpy(), &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "slow", Notifier: waiting}}})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-time.After(time.Second)
			cancel()
		}()
		if _, err := m.StoreOccurrences(ctx, []*monitor.Occurrence{occurrence("mallory", "e0", 0)}); err != nil {
			t.Errorf("StoreOccurrences: %v", err)
		}
		wantComponent(t, m, "route/slow", monitor.HealthOK, "")
		wantComponent(t, m, "outbox", monitor.HealthWarning, "not running")
		if b, err := m.Backlog(t.Context()); err != nil || b.Waiting != 1 {
			t.Errorf("backlog %+v, %v; want what was not delivered", b, err)
		}
	})
}
