package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

var errHandler = errors.New("the pager is off")

func TestRoutes(t *testing.T) {
	t.Parallel()
	low, high := occurrence("low", "e1", 0), occurrence("high", "e2", 0)
	high.Severity = monitor.SeverityHigh
	elsewhere := occurrence("elsewhere", "e3", 0)
	elsewhere.OrganizationID = "other"
	bulk := occurrence("bulk", "e4", 0)
	bulk.Finding.Rule = "bulk_operation"

	routes := map[string]struct {
		route alerting.Route
		want  []string
	}{
		"all":      {alerting.Route{}, []string{"low", "high", "elsewhere", "bulk"}},
		"high":     {alerting.Route{MinSeverity: monitor.SeverityHigh}, []string{"high"}},
		"critical": {alerting.Route{MinSeverity: monitor.SeverityCritical}, nil},
		"other":    {alerting.Route{Organizations: []string{"third", "other"}}, []string{"elsewhere"}},
		"bulk":     {alerting.Route{Rules: []string{"bulk_operation"}}, []string{"bulk"}},
		"bulk of other": {alerting.Route{
			Rules: []string{"bulk_operation"}, Organizations: []string{"other"},
		}, nil},
	}
	var o alerting.ManagerOptions
	recorders := map[string]*recorder{}
	for name, r := range routes {
		recorders[name] = &recorder{}
		r.route.Name, r.route.Handler = name, recorders[name]
		o.Routes = append(o.Routes, r.route)
	}
	m := newManager(t, newSpy(), &o)
	put(t, m, low, high, elsewhere, bulk)
	for name, r := range routes {
		t.Run(name, func(t *testing.T) { recorders[name].want(t, r.want...) })
	}
}

func TestNotifiedAlert(t *testing.T) {
	t.Parallel()
	spy, first, second := newSpy(), &recorder{}, &recorder{}
	m := newManager(t, spy, &alerting.ManagerOptions{Routes: []alerting.Route{
		{Name: "first", Handler: first}, {Name: "second", Handler: second},
	}})
	id := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
	put(t, m, occurrence("mallory", "e1", 299)) // within the cooldown
	put(t, m, occurrence("mallory", "e2", 300))
	first.want(t, "mallory", "mallory")
	got := first.alerts()
	if got[0].ID != id || got[0].Occurrences != 1 || got[1].ID != id || got[1].Occurrences != 3 {
		t.Errorf("notified of %+v", got)
	}
	// Nobody sees what another handler does to it.
	clear(got[0].Tags)
	got[0].Metadata["patternType"] = "spoiled"
	if other := second.alerts()[0]; other.Metadata["patternType"] != "FAILED_AUTH" || other.Tags[0] == "" {
		t.Errorf("handlers share %v and %v", other.Metadata, other.Tags)
	}
	// A store that cannot be read does not prevent a notification.
	spy.getFails = errAway
	id = put(t, m, occurrence("eve", "e3", 0))[0].AlertID
	if got := first.alerts(); len(got) != 3 || got[2].ID != id || got[2].Status != monitor.AlertActive || got[2].Title == "" {
		t.Errorf("notified of %+v", got)
	}
}

func TestSuppressedIsNotNotified(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, c := &recorder{}, &counts{}
		spy := newSpy()
		m := newManager(t, spy, &alerting.ManagerOptions{
			Routes: []alerting.Route{{Name: "all", Handler: r}}, Metrics: c,
		})
		_, err := m.SaveSettings(t.Context(), "acme", alerting.Settings{
			Suppressions: []alerting.Suppression{{Until: at(1000), Reason: "upgrade"}},
		}, "ann")
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))   // the monitor counts this one
		put(t, m, occurrence("mallory", "e1", 1))   // the flush finds out that it is held back
		put(t, m, occurrence("mallory", "e2", 999)) // this one too
		advance(time.Second)
		r.want(t)
		c.want(t, monitor.AlertsSuppressed, "failed_auth", 2)
		put(t, m, occurrence("mallory", "e3", 1000))
		advance(time.Second)
		r.want(t, "mallory") // of a repeat that was held
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestFailingHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad, good, c := &recorder{err: errHandler}, &recorder{}, &counts{}
		panics := monitor.AlertHandlerFunc(func(context.Context, *monitor.Alert) error { panic("no pager") })
		m := newManager(t, newSpy(), &alerting.ManagerOptions{
			Metrics: c,
			Routes: []alerting.Route{
				{Name: "bad", Handler: bad},
				{Name: "panics", Handler: panics, Rules: []string{"failed_auth"}},
				{Name: "good", Handler: good},
			},
		})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		synctest.Wait()
		good.want(t, "mallory")
		bad.want(t, "mallory")
		c.want(t, monitor.NotificationsFailed, "bad", 1)
		c.want(t, monitor.NotificationsFailed, "panics", 1)
		wantHealth(t, m, monitor.HealthWarning)
		for _, text := range []string{"route bad: 1 notifications waiting", errHandler.Error(), "no pager"} {
			if h := m.Health(t.Context()); !strings.Contains(h.Message, text) {
				t.Errorf("health says %q, want it to say %q", h.Message, text)
			}
		}
		advance(time.Second) // second attempt
		bad.want(t, "mallory", "mallory")
		advance(1900 * time.Millisecond)
		bad.want(t, "mallory", "mallory")
		bad.fail(nil)
		put(t, m, occurrence("eve", "e1", 0)) // does not wait for the first
		synctest.Wait()
		bad.want(t, "mallory", "mallory", "eve")
		if h := m.Health(t.Context()); !strings.Contains(h.Message, "route bad") {
			t.Errorf("health forgets what waits: %q", h.Message)
		}
		advance(100 * time.Millisecond)
		bad.want(t, "mallory", "mallory", "eve", "mallory")
		good.want(t, "mallory", "eve")
		c.want(t, monitor.NotificationsFailed, "bad", 2)
		if h := m.Health(t.Context()); strings.Contains(h.Message, "route bad") {
			t.Errorf("health says %q after all were delivered", h.Message)
		}
		var panicked *monitor.PanicError
		if err := stop(); !errors.As(err, &panicked) || !strings.Contains(err.Error(), "route panics: 2 notifications not delivered") {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestNotificationIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad, c := &recorder{err: errHandler}, &counts{}
		m := newManager(t, newSpy(), &alerting.ManagerOptions{
			Metrics: c, Routes: []alerting.Route{{Name: "bad", Handler: bad}},
		})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		advance(time.Hour)
		c.want(t, monitor.NotificationsFailed, "bad", 10)
		c.want(t, monitor.NotificationsDropped, "bad", 1)
		wantHealth(t, m, monitor.HealthWarning)
		if h := m.Health(t.Context()); !strings.Contains(h.Message, "0 notifications waiting, 1 dropped") {
			t.Errorf("health says %q", h.Message)
		}
		if err := stop(); err != nil { // nothing waits
			t.Errorf("Run: %v", err)
		}
	})
}

func TestSlowHandlerDelaysNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release, good, c := make(chan struct{}), &recorder{}, &counts{}
		slow := monitor.AlertHandlerFunc(func(ctx context.Context, _ *monitor.Alert) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		m := newManager(t, newSpy(), &alerting.ManagerOptions{
			Metrics: c,
			Routes:  []alerting.Route{{Name: "slow", Handler: slow}, {Name: "good", Handler: good}},
		})
		stop := run(t, m)
		began := time.Now()
		for i := range 1100 {
			if i == 1 {
				synctest.Wait() // the handler has the first
			}
			put(t, m, occurrence(fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("StoreAlerts waited %v for the handler", took)
		}
		synctest.Wait()
		// One is with the handler, 1,024 wait, the oldest others are given up.
		c.want(t, monitor.NotificationsDropped, "slow", 1100-1024-1)
		wantHealth(t, m, monitor.HealthWarning)
		advance(10 * time.Second) // a handler has no longer
		c.want(t, monitor.NotificationsFailed, "slow", 1)
		close(release)
		advance(time.Minute)
		wantHealth(t, m, monitor.HealthOK)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		if n := len(good.alerts()); n < 1024 {
			t.Errorf("the other handler got %d alerts", n)
		}
	})
}

func TestLastAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{err: errHandler}
		m := newManager(t, newSpy(), &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "pager", Handler: r}}})
		// Without Run it is StoreAlerts that notifies, and does not fail.
		put(t, m, occurrence("mallory", "e0", 0))
		r.want(t, "mallory")
		wantHealth(t, m, monitor.HealthWarning)
		// Run tries again what waits, when it ends for the last time.
		stop := run(t, m)
		put(t, m, occurrence("eve", "e1", 0))
		synctest.Wait()
		r.want(t, "mallory", "eve")
		if err := stop(); !errors.Is(err, errHandler) {
			t.Errorf("Run: %v", err)
		}
		r.want(t, "mallory", "eve", "mallory", "eve")
		r.fail(nil)
		stop = run(t, m)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		r.want(t, "mallory", "eve", "mallory", "eve", "mallory", "eve")
		wantHealth(t, m, monitor.HealthOK)
		put(t, m, occurrence("trudy", "e2", 0)) // as before Run
		r.want(t, "mallory", "eve", "mallory", "eve", "mallory", "eve", "trudy")
	})
}

func TestTimesOfAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, attempts := time.Now(), ""
		bad := monitor.AlertHandlerFunc(func(_ context.Context, a *monitor.Alert) error {
			attempts += fmt.Sprint(a.Finding.Key, time.Since(began), " ")
			return errHandler
		})
		m := newManager(t, newSpy(), &alerting.ManagerOptions{Routes: []alerting.Route{{Name: "bad", Handler: bad}}})
		stop := run(t, m)
		put(t, m, occurrence("a", "e0", 0))
		advance(2500 * time.Millisecond)
		put(t, m, occurrence("b", "e1", 0))
		advance(5 * time.Second)
		if want := "a0s a1s b2.5s a3s b3.5s b5.5s a7s "; attempts != want {
			t.Errorf("attempts %s, want %s", attempts, want)
		}
		if err := stop(); !errors.Is(err, errHandler) {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestFanout(t *testing.T) {
	t.Parallel()
	first, second, last := &recorder{err: errHandler}, &recorder{}, &recorder{err: errAway}
	panics := monitor.AlertHandlerFunc(func(context.Context, *monitor.Alert) error { panic(errors.New("oops")) })
	given := occurrence("mallory", "e0", 0)
	err := alerting.Fanout(first, panics, second, last).HandleAlert(t.Context(), given)
	for _, r := range []*recorder{first, second, last} {
		r.want(t, "mallory")
	}
	panicked, ok := errors.AsType[*monitor.PanicError](err)
	if !errors.Is(err, errHandler) || !errors.Is(err, errAway) || !ok || panicked.Where != "handler 1" || len(panicked.Stack) == 0 {
		t.Errorf("error %v, want all three", err)
	}
	a, b := first.alerts()[0], second.alerts()[0]
	if a.ID == "" || a.ID != b.ID {
		t.Errorf("handlers know the alert as %q and %q", a.ID, b.ID)
	}
	clear(a.Tags)
	if b.Tags[0] == "" || a == given {
		t.Error("handlers share the alert")
	}
	if err := alerting.Fanout().HandleAlert(t.Context(), given); err != nil {
		t.Errorf("no handlers: %v", err)
	}
}
