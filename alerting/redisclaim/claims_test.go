package redisclaim_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/internal/testservice"
)

func harness(one, two redis.UniversalClient) alertingtest.ClaimsHarness {
	return alertingtest.ClaimsHarness{New: func(t *testing.T) (here, there alerting.Claims) {
		prefix := testservice.Prefix(t)
		return newClaims(t, one, prefix), newClaims(t, two, prefix)
	}}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
	alertingtest.RunClaims(t, harness(client, client))
}

func TestClaimsOnCluster(t *testing.T) {
	t.Parallel()
	addrs := testservice.Cluster(t).Addrs()
	alertingtest.RunClaims(t, harness(connect(t, addrs...), connect(t, addrs...)))
}

func TestNewNeedsClient(t *testing.T) {
	t.Parallel()
	if c, err := redisclaim.New(nil, nil); c != nil || err == nil || !strings.Contains(err.Error(), "client is nil") {
		t.Errorf("New returned %v, %v", c, err)
	}
}

// TestKey holds the keys and values to their documented form.
func TestKey(t *testing.T) {
	t.Parallel()
	client := connect(t, testservice.Redis(t).Addr)
	c, err := redisclaim.New(client, nil)
	if err != nil {
		t.Fatal(err)
	}
	claim(t, c, "mallory")
	key := "auditwarden:alerts:alert_cooldown:acme:" + incident("mallory").Fingerprint.String()
	if keys := client.Keys(t.Context(), "*").Val(); !slices.Equal(keys, []string{key}) {
		t.Errorf("keys are %q, want %q", keys, key)
	}
	if value := client.Get(t.Context(), key).Val(); value != "HIGH alert-of-mallory" {
		t.Errorf("value is %q", value)
	}
	if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > time.Minute {
		t.Errorf("the key expires in %v", ttl)
	}
}

// TestPrefix keeps services apart.
func TestPrefix(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
	prefix := testservice.Prefix(t)
	claim(t, newClaims(t, client, prefix), "mallory")
	found, err := newClaims(t, client, prefix+"other").Lookup(t.Context(), []alerting.Incident{incident("mallory")})
	if err != nil || len(found) != 0 {
		t.Errorf("another service found %+v, %v", found, err)
	}
}

// TestShortestClaim is shorter than Redis can have it.
func TestShortestClaim(t *testing.T) {
	t.Parallel()
	c := newClaims(t, connectURL(t), testservice.Prefix(t))
	for _, ttl := range []time.Duration{time.Nanosecond, time.Millisecond, 0, -time.Hour} {
		if err := c.Claim(t.Context(), []alerting.Claim{claimOf("mallory")}, ttl); err != nil {
			t.Errorf("claim for %v: %v", ttl, err)
		}
		eventually(t, "the claim has ended", func() bool {
			found, err := c.Lookup(t.Context(), []alerting.Incident{incident("mallory")})
			return err == nil && len(found) == 0
		})
	}
}

// TestForeignValues has keys that somebody else wrote among those of claims.
func TestForeignValues(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
	prefix := testservice.Prefix(t)
	c := newClaims(t, client, prefix)
	foreign := prefix + ":alert_cooldown:acme:" + incident("foreign").Fingerprint.String()
	for _, value := range []string{
		"", " ", "HIGH", "HIGH ", " id", "high id", "HIGHid", " HIGH id", "unknown(9) id", "1", `{"id":"x"}`, "\x00\xff",
	} {
		if err := client.Set(t.Context(), foreign, value, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		claim(t, c, "a", "b")
		found, err := c.Lookup(t.Context(), []alerting.Incident{incident("a"), incident("foreign"), incident("b")})
		if err != nil || !slices.Equal(found, []alerting.Claim{claimOf("a"), claimOf("b")}) {
			t.Errorf("with the value %q there are %+v, %v", value, found, err)
		}
	}
	client.Del(t.Context(), foreign)
	if err := client.HSet(t.Context(), foreign, "a", "hash").Err(); err != nil {
		t.Fatal(err)
	}
	found, err := c.Lookup(t.Context(), []alerting.Incident{incident("a"), incident("foreign"), incident("b")})
	if err != nil || !slices.Equal(found, []alerting.Claim{claimOf("a"), claimOf("b")}) {
		t.Errorf("with a hash there are %+v, %v", found, err)
	}
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
	client := connectURL(t)
	c := newClaims(t, client, testservice.Prefix(t))
	claim(t, c, "a") // the connection is made
	sent := &hook{}
	client.AddHook(sent)
	claim(t, c, "a", "b", "c")
	want(t, c, "a", "b", "c")
	if err := c.Release(t.Context(), incident("b")); err != nil {
		t.Error(err)
	}
	if n, single := sent.pipelines.Load(), sent.commands.Load(); n != 3 || single != 0 {
		t.Errorf("three calls sent %d pipelines and %d commands, want 3 pipelines", n, single)
	}
	claim(t, c)
	want(t, c)
	if n := sent.pipelines.Load(); n != 3 {
		t.Errorf("calls for nothing sent %d pipelines", n-3)
	}
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
	client := connectURL(t)
	c := newClaims(t, client, testservice.Prefix(t))
	claim(t, c, "b") // the connection is made
	client.AddHook(&failLast{})
	found, err := c.Lookup(t.Context(), []alerting.Incident{incident("a"), incident("b")})
	if err == nil || !strings.Contains(err.Error(), "node is away") || len(found) != 0 {
		t.Errorf("found %+v, error %v", found, err)
	}
}
