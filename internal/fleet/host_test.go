package fleet_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// A host is a service that all tenants send their events to. It has faults that
// some events bring out.
type host struct {
	monitor  *monitor.Monitor
	alerts   *alerting.Manager
	receiver *tenantReceiver
	clock    *stopwatch
	metrics  *memmetrics.Collector
}

// stopLimit is how long a host tries to finish its work.
const stopLimit = 10 * time.Second

// What makes the faults of the host show: parts of an event's action.
const (
	panicsDetector = "detector.panic"
	failsDetector  = "detector.fail"
	timeless       = "detector.timeless"
	panicsStore    = "store.panic"
)

func newHost(t *testing.T, store driver.Store, claims claims.Set, windows detect.Windows) *host {
	t.Helper()
	h := &host{receiver: &tenantReceiver{seen: map[string]bool{}}, clock: &stopwatch{}, metrics: memmetrics.New()}
	var err error
	h.alerts, err = alerting.NewManager(store, &alerting.ManagerOptions{
		Claims: claims, Metrics: h.metrics, PollInterval: 100 * time.Millisecond,
		Routes: []alerting.Route{{Name: "tenants", Notifier: h.receiver, Timeout: time.Second}},
	})
	require.NoError(t, err)
	rules := soakRules(t)
	rules.Windows = windows
	engine, err := detect.New(rules)
	require.NoError(t, err)
	h.monitor, err = monitor.New(monitor.Config{
		Verifier: soakChecker(t), Detectors: []monitor.Detector{engine, clumsyDetector{}},
		Alerts: clumsyStore{h.alerts}, Metrics: h.metrics, Tracer: h.clock, Workers: 4, QueuePolicy: monitor.QueueBlock,
	})
	require.NoError(t, err)
	return h
}

func soakRules(t *testing.T) *detect.Options {
	t.Helper()
	return &detect.Options{}
}

func inMemory(t *testing.T) *host {
	t.Helper()
	return newHost(t, memalerts.New(nil), nil, nil)
}

// backends are what the hosts share.
type backends struct {
	redis    redis.UniversalClient
	prefix   string
	postgres string
}

func newBackends(t *testing.T) *backends {
	t.Helper()
	redisURL, postgresURL := testservice.RedisURL(t), testservice.PostgresURL(t)
	o, err := redis.ParseURL(redisURL)
	require.NoError(t, err)
	s := &backends{redis: redis.NewClient(o), prefix: testservice.Prefix(t), postgres: schema(t, postgresURL)}
	t.Cleanup(func() { require.NoError(t, s.redis.Close()) })
	require.NoError(t, pgalerts.Migrate(t.Context(), testservice.PostgresPool(t, s.postgres)))
	return s
}

func (s *backends) host(t *testing.T) *host {
	t.Helper()
	store, err := pgalerts.New(testservice.PostgresPool(t, s.postgres), nil)
	require.NoError(t, err)
	open, err := redisclaim.New(s.redis, &redisclaim.Options{Prefix: s.prefix + "alerts"})
	require.NoError(t, err)
	windows, err := rediswindow.New(s.redis, &rediswindow.Options{Prefix: s.prefix + "windows"})
	require.NoError(t, err)
	return newHost(t, store, open, windows)
}

// stop has the host finish its work, as far as the hostile let it: their events that
// always fail and what their destinations refuse are left over.
func (h *host) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	err := h.monitor.Shutdown(ctx)
	var left *monitor.UnhandledError
	if errors.As(err, &left) {
		for _, e := range left.Events {
			if e.KeyID != deadKey {
				assert.True(t, strings.HasPrefix(e.OrganizationID, hostileName), "an event of %s was not handled", e.OrganizationID)
			}
		}
	}
}

// A clumsyDetector is one of the host's own, which does not do its work well.
type clumsyDetector struct{}

func (clumsyDetector) Name() string { return "clumsy" }

func (clumsyDetector) Detect(_ context.Context, e *monitor.Event, r *monitor.Reporter) error {
	switch e.Action {
	case panicsDetector:
		panic("clumsy")
	case failsDetector:
		return errors.New("clumsy")
	case timeless:
		r.Report(monitor.Finding{Rule: "clumsy", Key: e.PrincipalID})
	case panicsStore:
		r.Report(monitor.Finding{Rule: "clumsy", Key: panicsStore, Event: monitor.EventRef{ID: e.ID, Timestamp: e.Timestamp}})
	}
	return nil
}

// A clumsyStore does not bear every alert.
type clumsyStore struct{ *alerting.Manager }

func (s clumsyStore) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	for _, o := range os {
		if o.Finding.Key == panicsStore {
			panic("clumsy")
		}
	}
	return s.Manager.StoreOccurrences(ctx, os)
}

// A tenantReceiver delivers to a destination of each tenant. Those of the hostile
// refuse for an hour, or never answer.
type tenantReceiver struct {
	mu   sync.Mutex
	seen map[string]bool
	n    int
}

func (r *tenantReceiver) Notify(ctx context.Context, n *alerting.Notification) error {
	r.mu.Lock()
	r.n++
	number := r.n
	if strings.HasPrefix(n.Alert.OrganizationID, honest) {
		r.seen[n.Alert.ID] = true // of the others there is no end
	}
	r.mu.Unlock()
	switch {
	case !strings.HasPrefix(n.Alert.OrganizationID, hostileName):
		return nil
	case number%2 == 0:
		<-ctx.Done()
		return ctx.Err()
	}
	return &alerting.DeliveryError{RetryAfter: time.Hour, Err: errors.New("429 Too Many Requests")}
}

func (r *tenantReceiver) has(alert string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[alert]
}

// A stopwatch measures from when an event is submitted until it is handled.
type stopwatch struct {
	mu     sync.Mutex
	delays []time.Duration
}

type startKey struct{}

func (*stopwatch) start(ctx context.Context) context.Context {
	return context.WithValue(ctx, startKey{}, time.Now())
}

func (s *stopwatch) take() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	delays := s.delays
	s.delays = nil
	return delays
}

// TraceProcessStart implements [monitor.Tracer].
func (*stopwatch) TraceProcessStart(ctx context.Context, _ monitor.TraceProcessStart) context.Context {
	return ctx
}

// TraceStoreStart implements [monitor.Tracer].
func (*stopwatch) TraceStoreStart(ctx context.Context, _ monitor.TraceStoreStart) context.Context {
	return ctx
}

// TraceProcessEnd implements [monitor.Tracer].
func (s *stopwatch) TraceProcessEnd(_ context.Context, data monitor.TraceProcessEnd) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, d := range data.Deliveries {
		if d.Context == nil || data.Results[i].State != monitor.StateDone {
			continue
		}
		if began, ok := d.Context.Value(startKey{}).(time.Time); ok {
			s.delays = append(s.delays, now.Sub(began))
		}
	}
}

// A signer signs events.
type signer struct{ *crypto.Signer }

func newSigner(t *testing.T, key *crypto.Key) signer {
	t.Helper()
	s, err := crypto.NewSigner(key)
	require.NoError(t, err)
	return signer{s}
}

func (s signer) sign(t *testing.T, e *monitor.Event) {
	t.Helper()
	require.NoError(t, s.Sign(context.Background(), e))
}

// hmacKey returns a key that signs for one organization, or, if it is empty, for all.
func hmacKey(t *testing.T, id, organization string) *crypto.Key {
	t.Helper()
	o := &crypto.KeyOptions{}
	if organization != "" {
		o.Organizations = []string{organization}
	}
	key, err := crypto.NewHMACKey(id, []byte("the secret of "+id+", 32 bytes at least"), o)
	require.NoError(t, err)
	return key
}

// soakChecker knows the keys of all tenants, one of which a hostile emitter has that
// may sign for everybody, and one whose authority is down.
func soakChecker(t *testing.T) *crypto.Checker {
	t.Helper()
	keys := []*crypto.Key{hmacKey(t, hostileName, hostileName), hmacKey(t, stolenKey, "")}
	for n := range honestTenants {
		name := honestName(n)
		keys = append(keys, hmacKey(t, name, name))
	}
	down, err := crypto.NewAuthorityKey(deadKey, crypto.Ed25519, deadAuthority{}, nil)
	require.NoError(t, err)
	keyring, err := crypto.NewKeyring(append(keys, down)...)
	require.NoError(t, err)
	return crypto.NewChecker(keyring, nil)
}

// deadAuthority answers nothing for a while.
type deadAuthority struct{}

func (deadAuthority) Verify(ctx context.Context, _, _ []byte) error {
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
	}
	return errors.New("connection refused")
}
