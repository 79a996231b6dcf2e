package alerting_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestNewManagerInput(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	for want, o := range map[string]*alerting.ManagerOptions{
		"CoalesceInterval": {CoalesceInterval: -2},
		"MaxBuffered":      {MaxBuffered: -1},
		"no name":          {Routes: []alerting.Route{{Notifier: r}}},
		"no notifier":      {Routes: []alerting.Route{{Name: "a"}}},
		"PollInterval":     {PollInterval: -1},
		"expires after":    {Routes: []alerting.Route{{Name: "a", Notifier: r, ExpireAfter: -1}}},
		"timeout":          {Routes: []alerting.Route{{Name: "a", Notifier: r, Timeout: -1}}},
		"concurrency":      {Routes: []alerting.Route{{Name: "a", Notifier: r, Concurrency: -1}}},
		"reason":           {Routes: []alerting.Route{{Name: "a", Notifier: r, Reasons: []alerting.Reason{"bored"}}}},
		"NUL":              {Routes: []alerting.Route{{Name: "a\x00", Notifier: r}}},
		`two are named`:    {Routes: []alerting.Route{{Name: "a", Notifier: r}, {Name: "a", Notifier: r}}},
	} {
		if _, err := alerting.NewManager(newSpy(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %s", err, want)
		}
	}
	_, err := alerting.NewManager(nil, &alerting.ManagerOptions{MaxBuffered: -1})
	if bad, ok := errors.AsType[*alerting.InvalidError](err); !ok || bad.Field == "" ||
		!strings.Contains(err.Error(), "Store") || !strings.Contains(err.Error(), "MaxBuffered") {
		t.Errorf("error %v, want everything that is wrong", err)
	}
}

func TestRunTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, newSpy(), nil)
		stop := run(t, m)
		if err := m.Run(t.Context()); err == nil {
			t.Error("a second Run did not fail")
		}
		put(t, m, occurrence("mallory", "e0", 0), occurrence("mallory", "e1", 1))
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// A workingStore has background work and health of its own.
type workingStore struct {
	*spyStore
	log    []string
	fails  chan error
	health monitor.ComponentHealth
}

func (s *workingStore) Run(ctx context.Context) error {
	s.log = append(s.log, "start")
	select {
	case err := <-s.fails:
		return err
	case <-ctx.Done():
		s.log = append(s.log, "stop")
		return errAway
	}
}

func (s *workingStore) Health(context.Context) []monitor.ComponentHealth {
	return []monitor.ComponentHealth{s.health}
}

func TestManagerRunsItsStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &workingStore{spyStore: newSpy()}
		m := newManager(t, s, nil)
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		put(t, m, occurrence("mallory", "e1", 1))
		s.setDuring(func(string) { s.log = append(s.log, "last flush") })
		if err := stop(); !errors.Is(err, errAway) {
			t.Errorf("Run: %v", err)
		}
		if want := []string{"start", "last flush", "stop"}; !slices.Equal(s.log, want) {
			t.Errorf("the store saw %q, want %q", s.log, want)
		}
	})
}

func TestStoreThatStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &workingStore{spyStore: newSpy(), fails: make(chan error)}
		m := newManager(t, s, nil)
		done := make(chan error)
		go func() { done <- m.Run(t.Context()) }()
		advance(time.Minute)
		s.fails <- errAway
		if err := <-done; !errors.Is(err, errAway) {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestHealthOfTheStore(t *testing.T) {
	t.Parallel()
	s := &workingStore{spyStore: newSpy(), health: monitor.ComponentHealth{
		Name: "database", Status: monitor.HealthWarning, Message: "slow",
	}}
	m := newManager(t, s, nil)
	if h := check.Health(t, m, monitor.HealthWarning); h != s.health {
		t.Errorf("health is %+v, want that of the store", h)
	}
	s.health = monitor.ComponentHealth{}
	check.Health(t, m, monitor.HealthOK)
}

func TestFlushGivesUpWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy, release := newSpy(), make(chan struct{})
		m := newManager(t, spy, &alerting.ManagerOptions{CoalesceInterval: time.Hour})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		put(t, m, occurrence("mallory", "e1", 1))
		spy.setDuring(func(string) { <-release })
		first := make(chan error)
		go func() { first <- m.Flush(t.Context()) }()
		synctest.Wait()
		// A flush under way is waited for: it may hold what the caller put in.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush: %v", err)
		}
		close(release)
		if err := <-first; err != nil {
			t.Errorf("Flush: %v", err)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}
