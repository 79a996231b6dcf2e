package redisclaim_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/internal/leaktest"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// connect returns a client that, so that a test sees what happens, does not try
// again by itself.
func connect(tb testing.TB, addrs ...string) redis.UniversalClient {
	tb.Helper()
	client := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: addrs, MaxRetries: -1})
	tb.Cleanup(func() {
		if err := client.Close(); err != nil {
			tb.Error(err)
		}
	})
	return client
}

// connectURL returns a client of a server that other tests use as well.
func connectURL(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	options, err := redis.ParseURL(testservice.RedisURL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	client := redis.NewClient(options)
	tb.Cleanup(func() {
		if err := client.Close(); err != nil {
			tb.Error(err)
		}
	})
	return client
}

func newClaims(tb testing.TB, client redis.UniversalClient, prefix string) *redisclaim.Claims {
	tb.Helper()
	c, err := redisclaim.New(client, &redisclaim.Options{Prefix: prefix})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func incident(key string) alerting.Incident {
	return alerting.Incident{Organization: "acme", Fingerprint: monitor.FingerprintOf("failed_auth", "acme", key)}
}

func claimOf(key string) alerting.Claim {
	return alerting.Claim{Incident: incident(key), AlertID: "alert-of-" + key, Severity: monitor.SeverityHigh}
}

// claim makes claims that outlast the test.
func claim(tb testing.TB, c *redisclaim.Claims, keys ...string) {
	tb.Helper()
	var claims []alerting.Claim
	for _, key := range keys {
		claims = append(claims, claimOf(key))
	}
	if err := c.Claim(tb.Context(), claims, time.Minute); err != nil {
		tb.Fatal(err)
	}
}

// want looks keys up and checks that all are claimed.
func want(tb testing.TB, c *redisclaim.Claims, keys ...string) {
	tb.Helper()
	var incidents []alerting.Incident
	for _, key := range keys {
		incidents = append(incidents, incident(key))
	}
	claims, err := c.Lookup(tb.Context(), incidents)
	if err != nil {
		tb.Fatal(err)
	}
	for i, key := range keys {
		if i >= len(claims) || claims[i] != claimOf(key) {
			tb.Fatalf("claims are %+v, want those of %q", claims, keys)
		}
	}
}

// eventually waits until a condition holds, however long the machine takes.
func eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !condition(); {
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatalf("not within a minute: %s", what)
		}
	}
}

// An instance is a manager that runs until it is stopped.
type instance struct {
	*alerting.Manager

	stop func() error
}

func newInstance(tb testing.TB, store alerting.Store, claims alerting.Claims) *instance {
	tb.Helper()
	m, err := alerting.NewManager(store, &alerting.ManagerOptions{CoalesceInterval: time.Minute, Claims: claims})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(tb.Context())
	tb.Cleanup(cancel)
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	return &instance{m, func() error {
		cancel()
		return <-done
	}}
}

// occur stores an occurrence.
func (i *instance) occur(tb testing.TB, key, event string) {
	tb.Helper()
	a := alertingtest.Occurrence("acme", key, event, time.Unix(1_700_000_000, 0))
	if err := i.HandleAlert(tb.Context(), a); err != nil {
		tb.Fatal(err)
	}
}
