package redisclaim_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/internal/testservice"
)

func harness(one, two redis.UniversalClient) alertingtest.ClaimsHarness {
	return alertingtest.ClaimsHarness{New: func(t *testing.T) (here, there claims.Set) {
		prefix := testservice.Prefix(t)
		return newClaims(t, one, prefix), newClaims(t, two, prefix)
	}}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	alertingtest.RunClaims(t, harness(client, client))
}

func TestClaimsOnCluster(t *testing.T) {
	t.Parallel()
	addrs := testservice.Cluster(t).Addrs()
	alertingtest.RunClaims(t, harness(testservice.RedisClient(t, addrs...), testservice.RedisClient(t, addrs...)))
}

func TestNewNeedsClient(t *testing.T) {
	t.Parallel()
	c, err := redisclaim.New(nil, nil)
	require.ErrorContains(t, err, "client is nil")
	assert.Nil(t, c)
}

// TestKey holds the keys and values to their documented form.
func TestKey(t *testing.T) {
	t.Parallel()
	client := testservice.RedisClient(t, testservice.Redis(t).Addr)
	c, err := redisclaim.New(client, nil)
	require.NoError(t, err)
	claim(t, c, "mallory")
	key := "auditwarden:alerts:alert_cooldown:acme:" + keyOf("mallory").Fingerprint.String()
	assert.Equal(t, []string{key}, client.Keys(t.Context(), "*").Val())
	assert.Equal(t, "HIGH alert-of-mallory", client.Get(t.Context(), key).Val())
	ttl := client.PTTL(t.Context(), key).Val()
	assert.Positive(t, ttl)
	assert.LessOrEqual(t, ttl, time.Minute)
}

// TestPrefix keeps services apart.
func TestPrefix(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	prefix := testservice.Prefix(t)
	claim(t, newClaims(t, client, prefix), "mallory")
	found, err := newClaims(t, client, prefix+"other").Lookup(t.Context(), []claims.AlertKey{keyOf("mallory")})
	require.NoError(t, err)
	assert.Empty(t, found)
}

// TestShortestClaim is shorter than Redis can have it.
func TestShortestClaim(t *testing.T) {
	t.Parallel()
	c := newClaims(t, testservice.SharedRedisClient(t), testservice.Prefix(t))
	for _, ttl := range []time.Duration{time.Nanosecond, time.Millisecond, 0, -time.Hour} {
		require.NoError(t, c.Claim(t.Context(), []claims.Claim{claimOf("mallory")}, ttl), "claim for %v", ttl)
		require.Eventually(t, func() bool {
			found, err := c.Lookup(t.Context(), []claims.AlertKey{keyOf("mallory")})
			return err == nil && len(found) == 0
		}, time.Minute, 5*time.Millisecond, "the claim for %v does not end", ttl)
	}
}

// TestForeignValues has keys that somebody else wrote among those of claims.
func TestForeignValues(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	prefix := testservice.Prefix(t)
	c := newClaims(t, client, prefix)
	foreign := prefix + ":alert_cooldown:acme:" + keyOf("foreign").Fingerprint.String()
	for _, value := range []string{
		"", " ", "HIGH", "HIGH ", " id", "high id", "HIGHid", " HIGH id", "unknown(9) id", "1", `{"id":"x"}`, "\x00\xff",
	} {
		require.NoError(t, client.Set(t.Context(), foreign, value, time.Minute).Err())
		claim(t, c, "a", "b")
		found, err := c.Lookup(t.Context(), []claims.AlertKey{keyOf("a"), keyOf("foreign"), keyOf("b")})
		require.NoError(t, err, "value %q", value)
		assert.Equal(t, []claims.Claim{claimOf("a"), claimOf("b")}, found, "value %q", value)
	}
	client.Del(t.Context(), foreign)
	require.NoError(t, client.HSet(t.Context(), foreign, "a", "hash").Err())
	found, err := c.Lookup(t.Context(), []claims.AlertKey{keyOf("a"), keyOf("foreign"), keyOf("b")})
	require.NoError(t, err)
	assert.Equal(t, []claims.Claim{claimOf("a"), claimOf("b")}, found)
	claim(t, c, "foreign") // replaces whatever there is
	want(t, c, "foreign")
}

// A hook counts what is sent.
type hook struct{ commands, pipelines atomic.Int64 }

func (h *hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.commands.Add(1)
		return next(ctx, cmd)
	}
}

func (h *hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.pipelines.Add(1)
		return next(ctx, cmds)
	}
}

// TestOneRoundTrip counts what a call sends.
func TestOneRoundTrip(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	c := newClaims(t, client, testservice.Prefix(t))
	claim(t, c, "a") // the connection is made
	sent := &hook{}
	client.AddHook(sent)
	claim(t, c, "a", "b", "c")
	want(t, c, "a", "b", "c")
	require.NoError(t, c.Release(t.Context(), keyOf("b")))
	assert.EqualValues(t, 3, sent.pipelines.Load(), "pipelines of three calls")
	assert.Zero(t, sent.commands.Load(), "commands besides")
	claim(t, c)
	want(t, c)
	assert.EqualValues(t, 3, sent.pipelines.Load(), "calls for nothing sent pipelines")
}

// failLast makes the last command of a pipeline fail, after what others answer.
type failLast struct{ hook }

func (f *failLast) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		cmds[len(cmds)-1].SetErr(errors.New("node is away"))
		return err
	}
}

// TestErrorBehindNone: that there is no claim of the first incident does not hide
// that nothing is known of the second.
func TestErrorBehindNone(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	c := newClaims(t, client, testservice.Prefix(t))
	claim(t, c, "b") // the connection is made
	client.AddHook(&failLast{})
	found, err := c.Lookup(t.Context(), []claims.AlertKey{keyOf("a"), keyOf("b")})
	require.ErrorContains(t, err, "node is away")
	assert.Empty(t, found)
}
