package redisclaim_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/internal/leaktest"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func newClaims(tb testing.TB, client redis.UniversalClient, prefix string) *redisclaim.Claims {
	tb.Helper()
	c, err := redisclaim.New(client, &redisclaim.Options{Prefix: prefix})
	require.NoError(tb, err)
	return c
}

func keyOf(key string) claims.AlertKey {
	return claims.AlertKey{Organization: "acme", Fingerprint: monitor.FingerprintOf("failed_auth", "acme", key)}
}

func claimOf(key string) claims.Claim {
	return claims.Claim{AlertKey: keyOf(key), AlertID: "alert-of-" + key, Severity: monitor.SeverityHigh}
}

// claim makes claims that outlast the test.
func claim(tb testing.TB, c *redisclaim.Claims, keys ...string) {
	tb.Helper()
	var made []claims.Claim
	for _, key := range keys {
		made = append(made, claimOf(key))
	}
	require.NoError(tb, c.Claim(tb.Context(), made, time.Minute))
}

// want looks keys up and checks that all are claimed.
func want(tb testing.TB, c *redisclaim.Claims, keys ...string) {
	tb.Helper()
	var lookedUp []claims.AlertKey
	var wanted []claims.Claim
	for _, key := range keys {
		lookedUp = append(lookedUp, keyOf(key))
		wanted = append(wanted, claimOf(key))
	}
	found, err := c.Lookup(tb.Context(), lookedUp)
	require.NoError(tb, err)
	require.Equal(tb, wanted, found)
}

// An instance is a manager that runs until it is stopped.
type instance struct {
	*alerting.Manager

	stop func() error
}

func newInstance(tb testing.TB, store driver.Store, claims claims.Set) *instance {
	tb.Helper()
	m, err := alerting.NewManager(store, &alerting.ManagerOptions{CoalesceInterval: time.Minute, Claims: claims})
	require.NoError(tb, err)
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
	_, err := i.StoreOccurrences(tb.Context(), []*monitor.Occurrence{a})
	require.NoError(tb, err)
}
