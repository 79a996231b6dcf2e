package rediswindow_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func TestWindows(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	for _, policy := range []rediswindow.Policy{rediswindow.Fail, rediswindow.Local} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			monitortest.RunWindows(t, func(t *testing.T) detect.Windows {
				return newWindows(t, client, rediswindow.Options{OnUnavailable: policy})
			})
		})
	}
}

func TestWindowsOnCluster(t *testing.T) {
	t.Parallel()
	client := testservice.RedisClientWith(t, &redis.UniversalOptions{Addrs: testservice.Cluster(t).Addrs()})
	monitortest.RunWindows(t, func(t *testing.T) detect.Windows {
		return newWindows(t, client, rediswindow.Options{})
	})
}

func TestDetector(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	monitortest.RunDetector(t, monitortest.DetectorHarness{
		New: func(t *testing.T) monitor.Detector {
			engine, err := detect.New(&detect.Options{Windows: newWindows(t, client, rediswindow.Options{})})
			require.NoError(t, err)
			return engine
		},
	})
}

// TestConcurrentInstances: under an attack that several instances see parts of
// at the same time, every event but the first two qualifies, once.
func TestConcurrentInstances(t *testing.T) {
	t.Parallel()
	const instances, each = 4, 100
	client := testservice.SharedRedisClient(t)
	o := rediswindow.Options{Prefix: testservice.Prefix(t)}
	var mu sync.Mutex
	times := map[string]int{}
	var attacked sync.WaitGroup
	for n := range instances {
		i := newInstance(t, client, o)
		attacked.Go(func() {
			for k := range each {
				e := event(0)
				e.ID = fmt.Sprint(k*instances + n)
				e.Timestamp = e.Timestamp.Add(time.Duration(k*instances + n))
				ids, err := i.detect(t.Context(), e)
				if err != nil {
					t.Errorf("event %s: %v", e.ID, err)
				}
				mu.Lock()
				for _, id := range ids {
					times[id]++
				}
				mu.Unlock()
			}
		})
	}
	attacked.Wait()
	for n := range instances * each {
		assert.Equal(t, min(1, max(0, n-1)), times[fmt.Sprint(n)], "how often event %d qualifies", n)
	}
}

func TestNewNamesBadOption(t *testing.T) {
	t.Parallel()
	client := testservice.RedisClient(t, "127.0.0.1:1")
	for _, c := range []struct {
		want    string
		client  redis.UniversalClient
		options *rediswindow.Options
	}{
		{"", client, nil},
		{"client is nil", nil, nil},
		{"Prefix", client, &rediswindow.Options{Prefix: "a}b"}},
		{"Prefix", client, &rediswindow.Options{Prefix: "{"}},
		{"Retention", client, &rediswindow.Options{Retention: -1}},
		{"Retention", client, &rediswindow.Options{Retention: math.MaxInt64}},
		{"OnUnavailable", client, &rediswindow.Options{OnUnavailable: 2}},
		{"MaxLocal", client, &rediswindow.Options{MaxLocal: -1}},
		{"RetryAfter", client, &rediswindow.Options{RetryAfter: -1}},
	} {
		got, err := rediswindow.New(c.client, c.options)
		if c.want == "" {
			require.NoError(t, err)
			assert.NotNil(t, got)
		} else {
			require.ErrorContains(t, err, c.want, "%+v", c.options)
		}
	}
	for policy, want := range map[rediswindow.Policy]string{rediswindow.Fail: "fail", rediswindow.Local: "local", 9: "unknown"} {
		assert.Equal(t, want, policy.String())
	}
}

// TestKeys looks at what is in Redis: a key that expires and names nobody.
func TestKeys(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	prefix := testservice.Prefix(t)
	newInstance(t, client, rediswindow.Options{Prefix: prefix, Retention: 10 * time.Minute}).want(t, 0)
	keys, err := client.Keys(t.Context(), prefix+"*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.NotContains(t, keys[0], "org-1")
	// The window of a minute, twice the lateness of a minute, the retention.
	ttl := client.PTTL(t.Context(), keys[0]).Val()
	assert.LessOrEqual(t, ttl, 13*time.Minute)
	assert.GreaterOrEqual(t, ttl, 12*time.Minute)
	members, err := client.ZRange(t.Context(), keys[0], 0, -1).Result()
	require.NoError(t, err)
	require.Len(t, members, 1)
	assert.True(t, strings.HasSuffix(members[0], "0"), "member %q does not end with the ID", members[0])
}

// TestBatchIsOneRoundTrip counts what is sent for a batch with many groups.
func TestBatchIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	i := newInstance(t, client, rediswindow.Options{})
	i.want(t, 0) // the script becomes known
	sent := &hook{}
	client.AddHook(sent)
	var es []*monitor.Event
	var arrivals []monitor.Arrival
	for n := range 3000 {
		e := event(n)
		e.PrincipalID = fmt.Sprint(n % 1000)
		es = append(es, e)
		arrivals = append(arrivals, monitor.Arrival{OrganizationID: e.OrganizationID, Sequence: uint64(n + 2), Lateness: time.Hour})
	}
	rs := reporters(arrivals)
	require.NoError(t, i.DetectBatch(t.Context(), es, rs))
	assert.Equal(t, 1, sent.pipelines)
	assert.LessOrEqual(t, sent.commands, 4)
}

// TestForeignData has keys that somebody else wrote.
func TestForeignData(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	for member, want := range map[string]string{
		"x":                            "no member",
		"":                             "no member",
		"a":                            "no member",
		"e" + string(make([]byte, 20)): "no member",
		"f" + string(make([]byte, 99)): "no member",
	} {
		prefix := testservice.Prefix(t)
		i := newInstance(t, client, rediswindow.Options{Prefix: prefix, OnUnavailable: rediswindow.Fail})
		i.want(t, 0)
		key := client.Keys(t.Context(), prefix+"*").Val()[0]
		require.NoError(t, client.ZAdd(t.Context(), key, redis.Z{Member: member}).Err())
		_, err := i.detect(t.Context(), event(1))
		require.ErrorContains(t, err, key+": "+want, "member %q", member)
		client.Set(t.Context(), key, "text", 0)
		_, err = i.detect(t.Context(), event(1))
		require.ErrorContains(t, err, "WRONGTYPE", "a text")
	}
}

// TestLimit: counts up to the limit, and beyond says so.
func TestLimit(t *testing.T) {
	t.Parallel()
	const limit, batch = 100, 50
	engine, err := detect.New(&detect.Options{
		Windows: newWindows(t, testservice.SharedRedisClient(t), rediswindow.Options{}), MaxEventsPerKey: limit,
		Rules: []detect.Rule{{Name: "two", Match: func(*monitor.Event) bool { return true }, Threshold: 2, Window: time.Hour}},
	})
	require.NoError(t, err)
	for n := 0; n < 3*limit; n += batch {
		var es []*monitor.Event
		var arrivals []monitor.Arrival
		for k := range batch {
			es = append(es, event(n+k))
			arrivals = append(arrivals, monitor.Arrival{OrganizationID: "org-1", Sequence: uint64(n + k + 1), Lateness: time.Minute})
		}
		rs := reporters(arrivals)
		require.NoError(t, engine.DetectBatch(t.Context(), es, rs))
		for k := range batch {
			count := n + k + 1
			if count < 2 {
				continue
			}
			found := rs[k].Findings()
			require.Len(t, found, 1, "event %d", count)
			require.Equal(t, min(count, limit), found[0].Count, "event %d", count)
			require.Equal(t, count > limit, found[0].AtLeast, "event %d", count)
			require.Len(t, found[0].References, min(count, 10), "event %d", count)
		}
	}
}

// TestManyAtOneTime: the order of arrival stays through all instances, also for
// rules that look at it.
func TestManyAtOneTime(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	o := rediswindow.Options{Prefix: testservice.Prefix(t)}
	instances := []*instance{newInstance(t, client, o), newInstance(t, client, o)}
	for n := range 20 {
		e := event(0)
		e.ID = fmt.Sprint(n)
		got, err := instances[n%2].detect(t.Context(), e)
		want := []string{e.ID}
		if n < 2 {
			want = []string{}
		}
		require.NoError(t, err)
		assert.Equal(t, want, got, "event %d", n)
	}
}
