package redisclaim_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// wantError checks that all that writes, or all, fails.
func wantError(ctx context.Context, t *testing.T, c *redisclaim.Claims, cause string, reads bool) {
	t.Helper()
	check := func(verb string, err error) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), "redisclaim: "+verb+": ") || !strings.Contains(err.Error(), cause) {
			t.Errorf("%s: error %v, want one about %q", verb, err, cause)
		}
	}
	check("make claims", c.Claim(ctx, []alerting.Claim{claimOf("a"), claimOf("b")}, time.Minute))
	if reads {
		found, err := c.Lookup(ctx, []alerting.Incident{incident("a"), incident("b")})
		check("look up claims", err)
		if len(found) != 0 {
			t.Errorf("with the error there are %+v", found)
		}
		check("release claim", c.Release(ctx, incident("a")))
	}
}

func TestRedisIsKilled(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	c := newClaims(t, connect(t, server.Addr), testservice.Prefix(t))
	claim(t, c, "a")
	server.Kill()
	// The first call has a connection that was closed.
	if _, err := c.Lookup(t.Context(), []alerting.Incident{incident("a")}); err == nil {
		t.Error("no error although Redis was killed")
	}
	wantError(t.Context(), t, c, "connection refused", true)
	server.Restart()
	claim(t, c, "b")
	want(t, c, "b")
}

// TestRedisHangs: no call lasts longer than its context, whatever the client's
// time-outs are.
func TestRedisHangs(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]redis.Options{
		"Defaults":              {},
		"ContextTimeoutEnabled": {ContextTimeoutEnabled: true},
		"Patient":               {ReadTimeout: time.Hour, MaxRetries: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testservice.Redis(t)
			options.Addr = server.Addr
			client := redis.NewClient(&options)
			t.Cleanup(func() { client.Close() })
			c := newClaims(t, client, testservice.Prefix(t))
			claim(t, c, "a")
			server.Pause()
			for range 2 {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				if _, err := c.Lookup(ctx, []alerting.Incident{incident("a")}); err == nil {
					t.Error("no error although Redis hangs")
				}
				cancel()
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
	client := redis.NewClient(&redis.Options{
		Addr: server.Addr, MaxRetries: -1, ReadTimeout: 50 * time.Millisecond, DialTimeout: 50 * time.Millisecond,
	})
	t.Cleanup(func() { client.Close() })
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
	client := connect(t, server.Addr)
	c := newClaims(t, client, testservice.Prefix(t))
	do := func(command string) {
		t.Helper()
		var args []any
		for word := range strings.FieldsSeq(command) {
			args = append(args, word)
		}
		if err := client.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	claim(t, c, "a", "b")
	do("CONFIG SET maxmemory 1")
	wantError(t.Context(), t, c, "OOM", false)
	want(t, c, "a", "b") // what is there can still be read
	do("CONFIG SET maxmemory 0")
	do("REPLICAOF 127.0.0.1 1")
	wantError(t.Context(), t, c, "READONLY", false)
	if err := c.Release(t.Context(), incident("a")); err == nil || !strings.Contains(err.Error(), "READONLY") {
		t.Errorf("release on a replica: %v", err)
	}
	do("REPLICAOF NO ONE")
	claim(t, c, "b", "c")
	want(t, c, "a", "b", "c")

	const secret = "correct-horse"
	do("CONFIG SET requirepass battery-staple")
	wrong := redis.NewClient(&redis.Options{Addr: server.Addr, Password: secret})
	t.Cleanup(func() { wrong.Close() })
	_, err := newClaims(t, wrong, testservice.Prefix(t)).Lookup(t.Context(), []alerting.Incident{incident("a")})
	if err == nil || !strings.Contains(err.Error(), "WRONGPASS") || strings.Contains(err.Error(), secret) {
		t.Errorf("wrong password: error %v", err)
	}
}

// TestClusterNodeIsLost: the claims on other nodes are still there.
func TestClusterNodeIsLost(t *testing.T) {
	t.Parallel()
	cluster := testservice.Cluster(t)
	c := newClaims(t, connect(t, cluster.Addrs()...), testservice.Prefix(t))
	var keys []string
	for n := range 30 {
		keys = append(keys, fmt.Sprint("key", n))
	}
	claim(t, c, keys...)
	want(t, c, keys...)
	cluster.Nodes[1].Kill()
	lost, found := 0, 0
	for _, key := range keys {
		claims, err := c.Lookup(t.Context(), []alerting.Incident{incident(key)})
		if err != nil {
			lost++
		} else if found++; len(claims) != 1 || claims[0] != claimOf(key) {
			t.Errorf("%s has the claims %+v", key, claims)
		}
		if lost > 0 && found > 0 {
			break // a lookup that fails takes its time
		}
	}
	if lost == 0 || found == 0 {
		t.Errorf("%d lookups failed, %d did not", lost, found)
	}
	cluster.Nodes[1].Restart()
	var all []alerting.Claim
	for _, key := range keys {
		all = append(all, claimOf(key))
	}
	eventually(t, "claims can be made on all nodes", func() bool { return c.Claim(t.Context(), all, time.Minute) == nil })
	want(t, c, keys...)
}

// TestSlotMoves moves a claim to another node of a Cluster.
func TestSlotMoves(t *testing.T) {
	t.Parallel()
	cluster := testservice.Cluster(t)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
	t.Cleanup(func() { client.Close() })
	prefix := testservice.Prefix(t)
	c := newClaims(t, client, prefix)
	claim(t, c, "a")
	cluster.MoveSlot(prefix+":alert_cooldown:acme:"+incident("a").Fingerprint.String(), func() {
		want(t, c, "a")
		claim(t, c, "a")
	})
	want(t, c, "a")
	if err := c.Release(t.Context(), incident("a")); err != nil {
		t.Error(err)
	}
}

// TestManagerWithoutRedis: nothing is lost, and Redis is not waited for.
func TestManagerWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	store := memalerts.New(nil)
	claims := newClaims(t, connect(t, server.Addr), testservice.Prefix(t))
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
	if h := two.Health(t.Context()); h.Status != monitor.HealthWarning || !strings.Contains(h.Message, context.DeadlineExceeded.Error()) {
		t.Errorf("health is %+v", h)
	}
	server.Resume()
	if err := errors.Join(one.stop(), two.stop()); err != nil {
		t.Error(err)
	}
	for a, err := range store.List(t.Context(), alerting.Query{Organization: "acme"}) {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case a.Finding.Key == "mallory" && a.Occurrences != int64(events):
			t.Errorf("mallory has %d occurrences, want %d", a.Occurrences, events)
		case a.Finding.Key != "mallory" && a.Occurrences != 1:
			t.Errorf("%s has %d occurrences", a.Finding.Key, a.Occurrences)
		}
	}
	if n, err := store.Count(t.Context(), alerting.Query{Organization: "acme"}); err != nil || n != 21 {
		t.Errorf("%d alerts, %v, want 21", n, err)
	}
}
