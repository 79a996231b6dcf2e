package alerting_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// These panic whatever they are asked.
type (
	panickingTracer struct{}
	panickingEnd    struct{ panickingTracer }
	panickingMeter  struct{}
	panickingLogger struct{ slog.Handler }
	panickingClaims struct{ claims.Set }
)

func (panickingTracer) TraceOperationStart(context.Context, alerting.TraceOperationStart) context.Context {
	panic("start")
}

func (panickingTracer) TraceOperationEnd(context.Context, alerting.TraceOperationEnd) { panic("end") }

func (panickingEnd) TraceOperationStart(ctx context.Context, _ alerting.TraceOperationStart) context.Context {
	return ctx
}

func (panickingMeter) Record(context.Context, monitor.Measurement) { panic("record") }

func (panickingLogger) Enabled(context.Context, slog.Level) bool { panic("log") }

func (panickingClaims) Lookup(context.Context, []claims.AlertKey) ([]claims.Claim, error) {
	panic("lookup")
}

func (panickingClaims) Claim(context.Context, []claims.Claim, time.Duration) error { panic("claim") }
func (panickingClaims) Release(context.Context, claims.AlertKey) error             { panic("release") }

// TestObserversPanic has what only observes a manager panic in its goroutines and in
// those of callers: everything is stored and delivered all the same.
func TestObserversPanic(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]alerting.ManagerOptions{
		"tracer":     {Tracer: panickingTracer{}},
		"tracer end": {Tracer: panickingEnd{}},
		"metrics":    {Metrics: panickingMeter{}},
		"logger":     {Logger: slog.New(panickingLogger{})},
		"claims":     {Claims: panickingClaims{}},
		"all": {
			Tracer: panickingTracer{}, Metrics: panickingMeter{}, Logger: slog.New(panickingLogger{}), Claims: panickingClaims{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pager, gone, spy := &recorder{}, &recorder{err: &alerting.DeliveryError{Permanent: true, Err: errPager}}, newSpy()
				o.Routes = []alerting.Route{{Name: "pager", Notifier: pager}, {Name: "gone", Notifier: gone}}
				m := newManager(t, spy, &o)
				put(t, m, occurrence("eve", "e0", 0))
				stop := run(t, m)
				id := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
				put(t, m, occurrence("mallory", "e1", 1))
				advance(time.Minute)
				pager.want(t, "eve", "mallory")
				_, err := m.Resolve(t.Context(), monitor.AlertRef{Organization: "acme", ID: id}, "ann", "")
				check.NoError(t, "Resolve", err)
				check.NoError(t, "Run", stop())
				check.Equal(t, "dead letters", len(deadLetters(t, spy)), 2)
				wantStored(t, spy, 2, 1)
			})
		})
	}
}

// TestPanicsAreCounted has a tracer panic often, which is counted each time and logged
// once.
func TestPanicsAreCounted(t *testing.T) {
	t.Parallel()
	var text journal
	c := &counts{}
	m := newManager(t, newSpy(), &alerting.ManagerOptions{
		Tracer: panickingEnd{}, Metrics: c, Logger: slog.New(slog.NewTextHandler(&text, nil)),
	})
	for range 5 {
		put(t, m, occurrence("mallory", "e0", 0))
	}
	if c.sum[monitor.Errors]["panic"] < 5 {
		t.Errorf("counted %v", c.sum[monitor.Errors])
	}
	check.Equal(t, "log records", strings.Count(text.String(), "where=tracer"), 1)
}

// A panickingStore panics in every background call.
type panickingStore struct {
	*spyStore
	mu     sync.Mutex
	panics bool
}

func (s *panickingStore) panic(method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic(method)
	}
}

func (s *panickingStore) ClaimNotifications(
	ctx context.Context, route string, routes []alerting.Route, paused []string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	s.panic("ClaimNotifications")
	return s.spyStore.ClaimNotifications(ctx, route, routes, paused, limit, lease)
}

func (s *panickingStore) SettleNotifications(ctx context.Context, ds []alerting.Delivery) error {
	s.panic("SettleNotifications")
	return s.spyStore.SettleNotifications(ctx, ds)
}

func (s *panickingStore) RunTimers(ctx context.Context) (escalated, resolved int, err error) {
	s.panic("RunTimers")
	return s.spyStore.RunTimers(ctx)
}

func (s *panickingStore) Backlog(ctx context.Context) (alerting.Backlog, error) {
	s.panic("Backlog")
	return s.spyStore.Backlog(ctx)
}

func (s *panickingStore) Run(context.Context) error { panic("Run") }

// TestStorePanics has a store panic in the goroutines of a manager.
func TestStorePanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pager, store := &recorder{}, &panickingStore{spyStore: newSpy(), panics: true}
		m := newManager(t, struct{ driver.Store }{store}, &alerting.ManagerOptions{
			Routes: []alerting.Route{{Name: "pager", Notifier: pager}},
		})
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))
		advance(time.Minute)
		wantComponent(t, m, "outbox", monitor.HealthWarning, "panicked: RunTimers")
		wantComponent(t, m, "route/pager", monitor.HealthWarning, "panicked: ClaimNotifications")
		store.mu.Lock()
		store.panics = false
		store.mu.Unlock()
		advance(time.Minute)
		pager.want(t, "mallory")
		check.NoError(t, "Run", stop())

		// Its own background work is part of that of the manager.
		err := newManager(t, store, nil).Run(t.Context())
		if _, ok := errors.AsType[*monitor.PanicError](err); !ok {
			t.Errorf("Run: %v", err)
		}
	})
}
