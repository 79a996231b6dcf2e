package redisclaim_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// wantError checks that all that writes, or all, fails.
func wantError(ctx context.Context, t *testing.T, c *redisclaim.Claims, cause string, reads bool) {
	t.Helper()
	check := func(verb string, err error) {
		t.Helper()
		require.ErrorContains(t, err, cause, verb)
		assert.True(t, strings.HasPrefix(err.Error(), "redisclaim: "+verb+": "), "error %v", err)
	}
	check("make claims", c.Claim(ctx, []claims.Claim{claimOf("a"), claimOf("b")}, time.Minute))
	if reads {
		found, err := c.Lookup(ctx, []claims.AlertKey{keyOf("a"), keyOf("b")})
		check("look up claims", err)
		assert.Empty(t, found)
		check("release claim", c.Release(ctx, keyOf("a")))
	}
}

func TestRedisIsKilled(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	c := newClaims(t, testservice.RedisClient(t, server.Addr), testservice.Prefix(t))
	claim(t, c, "a")
	server.Kill()
	// The first call has a connection that was closed.
	_, err := c.Lookup(t.Context(), []claims.AlertKey{keyOf("a")})
	require.Error(t, err)
	wantError(t.Context(), t, c, "connection refused", true)
	server.Restart()
	claim(t, c, "b")
	want(t, c, "b")
}

// TestRedisHangs: no call lasts longer than its context, whatever the client's
// time-outs are.
func TestRedisHangs(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]redis.UniversalOptions{
		"Defaults":              {},
		"ContextTimeoutEnabled": {ContextTimeoutEnabled: true},
		"Patient":               {ReadTimeout: time.Hour, MaxRetries: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testservice.Redis(t)
			options.Addrs = []string{server.Addr}
			c := newClaims(t, testservice.RedisClientWith(t, &options), testservice.Prefix(t))
			claim(t, c, "a")
			server.Pause()
			for range 2 {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				_, err := c.Lookup(ctx, []claims.AlertKey{keyOf("a")})
				cancel()
				require.Error(t, err)
			}
			server.Resume()
			claim(t, c, "a", "b")
			want(t, c, "a", "b")
		})
	}
}

// TestRedisHangsWithoutDeadline leaves the end to the client.
func TestRedisHangsWithoutDeadline(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	client := testservice.RedisClientWith(t, &redis.UniversalOptions{
		Addrs: []string{server.Addr}, MaxRetries: -1, ReadTimeout: 50 * time.Millisecond, DialTimeout: 50 * time.Millisecond,
	})
	c := newClaims(t, client, testservice.Prefix(t))
	claim(t, c, "a")
	server.Pause()
	wantError(t.Context(), t, c, "timeout", true)
	server.Resume()
	claim(t, c, "b")
	want(t, c, "b")
}

// TestRedisRefuses has a Redis without memory, one that only reads, and one that
// wants a password.
func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	c := newClaims(t, testservice.RedisClient(t, server.Addr), testservice.Prefix(t))
	claim(t, c, "a", "b")
	server.Do("CONFIG SET maxmemory 1")
	wantError(t.Context(), t, c, "OOM", false)
	want(t, c, "a", "b") // what is there can still be read
	server.Do("CONFIG SET maxmemory 0")
	server.Do("REPLICAOF 127.0.0.1 1")
	wantError(t.Context(), t, c, "READONLY", false)
	require.ErrorContains(t, c.Release(t.Context(), keyOf("a")), "READONLY", "release on a replica")
	server.Do("REPLICAOF NO ONE")
	claim(t, c, "b", "c")
	want(t, c, "a", "b", "c")

	const secret = "correct-horse"
	server.Do("CONFIG SET requirepass battery-staple")
	wrong := testservice.RedisClientWith(t, &redis.UniversalOptions{Addrs: []string{server.Addr}, Password: secret})
	_, err := newClaims(t, wrong, testservice.Prefix(t)).Lookup(t.Context(), []claims.AlertKey{keyOf("a")})
	require.ErrorContains(t, err, "WRONGPASS")
	assert.NotContains(t, err.Error(), secret)
}

// TestClusterNodeIsLost: the claims on other nodes are still there.
func TestClusterNodeIsLost(t *testing.T) {
	t.Parallel()
	cluster := testservice.Cluster(t)
	c := newClaims(t, testservice.RedisClient(t, cluster.Addrs()...), testservice.Prefix(t))
	var keys []string
	for n := range 30 {
		keys = append(keys, fmt.Sprint("key", n))
	}
	claim(t, c, keys...)
	want(t, c, keys...)
	cluster.Nodes[1].Kill()
	lost, found := 0, 0
	for _, key := range keys {
		made, err := c.Lookup(t.Context(), []claims.AlertKey{keyOf(key)})
		if err != nil {
			lost++
		} else {
			found++
			assert.Equal(t, []claims.Claim{claimOf(key)}, made)
		}
		if lost > 0 && found > 0 {
			break // a lookup that fails takes its time
		}
	}
	assert.Positive(t, lost, "lookups that failed")
	assert.Positive(t, found, "lookups that did not")
	cluster.Nodes[1].Restart()
	var all []claims.Claim
	for _, key := range keys {
		all = append(all, claimOf(key))
	}
	require.Eventually(t, func() bool { return c.Claim(t.Context(), all, time.Minute) == nil },
		time.Minute, 5*time.Millisecond, "claims cannot be made on all nodes")
	want(t, c, keys...)
}

// TestSlotMoves moves a claim to another node of a Cluster.
func TestSlotMoves(t *testing.T) {
	t.Parallel()
	cluster := testservice.Cluster(t)
	prefix := testservice.Prefix(t)
	c := newClaims(t, testservice.RedisClientWith(t, &redis.UniversalOptions{Addrs: cluster.Addrs()}), prefix)
	claim(t, c, "a")
	cluster.MoveSlot(prefix+":alert_cooldown:acme:"+keyOf("a").Fingerprint.String(), func() {
		want(t, c, "a")
		claim(t, c, "a")
	})
	want(t, c, "a")
	require.NoError(t, c.Release(t.Context(), keyOf("a")))
}

// TestManagerWithoutRedis: nothing is lost, and Redis is not waited for.
func TestManagerWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	store := memalerts.New(nil)
	claims := newClaims(t, testservice.RedisClient(t, server.Addr), testservice.Prefix(t))
	one, two := newInstance(t, store, claims), newInstance(t, store, claims)
	events := 0
	occur := func(i *instance) {
		t.Helper()
		events++
		i.occur(t, "mallory", fmt.Sprint("event", events))
	}
	occur(one)
	occur(two)
	server.Pause()
	for range 20 {
		occur(one)
		occur(two)
		two.occur(t, fmt.Sprint("eve", events), fmt.Sprint("eve", events))
	}
	h := check.Health(t, two, monitor.HealthWarning)
	assert.Contains(t, h.Message, context.DeadlineExceeded.Error())
	server.Resume()
	require.NoError(t, errors.Join(one.stop(), two.stop()))
	as, err := store.List(t.Context(), alerting.Query{Organization: "acme", Limit: 100})
	require.NoError(t, err)
	for _, a := range as {
		want := 1
		if a.Finding.Key == "mallory" {
			want = events
		}
		assert.EqualValues(t, want, a.Occurrences, a.Finding.Key)
	}
	n, err := store.Count(t.Context(), alerting.Query{Organization: "acme"})
	require.NoError(t, err)
	assert.Equal(t, 21, n)
}
