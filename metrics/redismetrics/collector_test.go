package redismetrics_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/metrics/metricstest"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

func harness(client redis.UniversalClient) metricstest.Harness {
	return metricstest.Harness{New: func(tb testing.TB) metricstest.Collector {
		return newCollector(tb, client, redismetrics.Options{})
	}}
}

func TestCollector(t *testing.T) {
	t.Parallel()
	metricstest.RunCollector(t, harness(testservice.SharedRedisClient(t)))
}

func TestCollectorOnCluster(t *testing.T) {
	t.Parallel()
	metricstest.RunCollector(t, harness(testservice.RedisClient(t, testservice.Cluster(t).Addrs()...)))
}

func TestRecordAllocatesNothing(t *testing.T) {
	c := newCollector(t, testservice.RedisClient(t, "127.0.0.1:1"), redismetrics.Options{})
	record := func() {
		for _, m := range []monitor.Measurement{
			{Metric: monitor.EventsProcessed, Value: 1},
			{Metric: monitor.QueueDepth, Value: 1},
			{Metric: monitor.ProcessingLatency, Value: 450},
			{Metric: monitor.Verifications, Value: 1, Attribute: "verified"},
		} {
			c.Record(t.Context(), m)
		}
	}
	record() // the attribute becomes known
	assert.Zero(t, testing.AllocsPerRun(100, record), "allocations")
}

func TestNewNamesBadOption(t *testing.T) {
	t.Parallel()
	client := testservice.RedisClient(t, "127.0.0.1:1")
	for _, c := range []struct {
		want    string
		client  redis.UniversalClient
		options *redismetrics.Options
	}{
		{"", client, nil},
		{"", client, &redismetrics.Options{Retention: -1}},
		{"client is nil", nil, nil},
		{"Prefix", client, &redismetrics.Options{Prefix: "a}b"}},
		{"Prefix", client, &redismetrics.Options{Prefix: "{"}},
		{"Interval", client, &redismetrics.Options{Interval: -time.Second}},
		{"Interval", client, &redismetrics.Options{Interval: time.Microsecond}},
		{"Retention", client, &redismetrics.Options{Interval: time.Hour, Retention: time.Minute}},
	} {
		got, err := redismetrics.New(c.client, c.options)
		if c.want == "" {
			require.NoError(t, err, "%+v", c.options)
			assert.NotNil(t, got, "%+v", c.options)
		} else {
			assert.ErrorContains(t, err, c.want, "%+v", c.options)
		}
	}
}

// TestInstancesAddUp has several instances that run, and that end.
func TestInstancesAddUp(t *testing.T) {
	t.Parallel()
	const instances, each = 4, 5000
	client := testservice.SharedRedisClient(t)
	o := redismetrics.Options{Prefix: testservice.Prefix(t), Interval: 2 * time.Millisecond}
	results := make(chan error, instances)
	for i := range instances {
		c := newCollector(t, client, o)
		stop := run(t, c)
		go func() {
			for n := range each {
				count(c, 1, []string{"", "panic", "store"}[n%3])
				c.Record(t.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: int64(i*each+n+1) * 1000})
				c.Record(t.Context(), monitor.Measurement{Metric: monitor.AlertsCreated, Value: 10})
				c.Record(t.Context(), monitor.Measurement{
					Metric: monitor.DeliveryDuration, Value: int64(time.Second), Attribute: "slack",
				})
			}
			results <- stop()
		}()
	}
	for range instances {
		require.NoError(t, <-results)
	}
	reader := newCollector(t, client, o)
	m := snapshot(t, reader)
	assert.EqualValues(t, instances*each, m.Value(monitor.Errors), "errors")
	assert.EqualValues(t, instances*(each+1)/3, m.Metrics[monitor.Errors].ByAttribute["panic"].Value, "panics")
	l := m.Metrics[monitor.ProcessingLatency].Distribution
	assert.EqualValues(t, instances*each, l.Count())
	assert.Equal(t, 20*time.Millisecond, l.Max)
	assert.Equal(t, 10*time.Millisecond+500, l.Mean())
	assert.InEpsilon(t, 19*time.Millisecond, l.Quantile(0.95), 1.0/32)
	assert.EqualValues(t, 10*instances*each, m.Value(monitor.AlertsCreated), "alerts")
	deliveries := m.Metrics[monitor.DeliveryDuration]
	for _, d := range []monitor.MetricData{deliveries, deliveries.ByAttribute["slack"]} {
		assert.EqualValues(t, instances*each, d.Value)
		assert.EqualValues(t, instances*each, d.Distribution.Count())
		assert.Equal(t, time.Second, d.Distribution.Mean())
		assert.Equal(t, time.Second, d.Distribution.Max)
	}
}

// TestAttributesAreBoundedOverInstances has two instances whose attributes
// differ.
func TestAttributesAreBoundedOverInstances(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	o := redismetrics.Options{Prefix: testservice.Prefix(t)}
	first, second := newCollector(t, client, o), newCollector(t, client, o)
	for i := range 700 {
		count(first, 1, "first"+strings.Repeat("x", i))
		count(second, 1, "second"+strings.Repeat("x", i))
	}
	snapshot(t, first)
	for range 2 { // also when they are known
		m := snapshot(t, second)
		parts := m.Metrics[monitor.Errors].ByAttribute
		assert.Len(t, parts, 1025)
		assert.EqualValues(t, 1400, m.Value(monitor.Errors))
		assert.EqualValues(t, 376, parts["other"].Value)
		assert.EqualValues(t, 1, parts["first"].Value)
	}
}

// TestGaugesAreOfLiveInstances has an instance that ends without a word.
func TestGaugesAreOfLiveInstances(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	prefix := testservice.Prefix(t)
	short := newCollector(t, client, redismetrics.Options{Prefix: prefix, Interval: 100 * time.Millisecond})
	long := newCollector(t, client, redismetrics.Options{Prefix: prefix, Interval: time.Hour, Retention: -1})
	for _, c := range []*redismetrics.Collector{short, long} {
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.QueueDepth, Value: 5})
	}
	depth := func() int64 {
		m := snapshot(t, long)
		return m.Value(monitor.QueueDepth)
	}
	snapshot(t, short)
	assert.EqualValues(t, 10, depth(), "depth of two instances")
	eventually(t, "only one instance is live", func() bool { return depth() == 5 })
}

// TestSharedGaugeIsNotAddedUp has instances that tell about one store, of which
// one has not looked yet.
func TestSharedGaugeIsNotAddedUp(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	o := redismetrics.Options{Prefix: testservice.Prefix(t)}
	var m monitor.MetricsSnapshot
	for _, backlog := range []int64{6, 6, 0} {
		c := newCollector(t, client, o)
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.NotificationBacklog, Value: backlog})
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.QuarantineDepth, Value: backlog})
		m = snapshot(t, c)
	}
	assert.EqualValues(t, 6, m.Value(monitor.NotificationBacklog), "backlog of the store")
	assert.EqualValues(t, 12, m.Value(monitor.QuarantineDepth), "quarantine of all instances")
}

// TestHealthSaysThatRunIsNotActive asks before, while and after a collector runs.
func TestHealthSaysThatRunIsNotActive(t *testing.T) {
	t.Parallel()
	c := newCollector(t, testservice.SharedRedisClient(t), redismetrics.Options{Interval: time.Millisecond})
	idle := monitor.ComponentHealth{Name: "redismetrics", Status: monitor.HealthWarning, Message: "not running"}
	assert.Equal(t, []monitor.ComponentHealth{idle}, c.Health(t.Context()))
	stop := run(t, c)
	eventually(t, "flushes succeed", func() bool { return !failing(c) })
	require.NoError(t, stop())
	h := check.Health(t, c, monitor.HealthWarning)
	assert.Equal(t, "not running", h.Message)
	assert.NotZero(t, h.LastSuccess)
}

// TestRetention looks at what expires.
func TestRetention(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	for retention, want := range map[time.Duration]time.Duration{0: 24 * time.Hour, time.Hour: time.Hour, -1: -1} {
		prefix := testservice.Prefix(t)
		c := newCollector(t, client, redismetrics.Options{Prefix: prefix, Retention: retention})
		count(c, 1, "")
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: 1})
		snapshot(t, c)
		keys, err := client.Keys(t.Context(), "{"+prefix+"}:*").Result()
		require.NoError(t, err)
		assert.Len(t, keys, 5)
		for _, key := range keys {
			want := want
			if strings.Contains(key, ":flush:") {
				want = 24 * time.Hour
			}
			ttl, err := client.PTTL(t.Context(), key).Result()
			require.NoError(t, err)
			if want < 0 {
				assert.Equal(t, want, ttl, key)
			} else {
				assert.LessOrEqual(t, ttl, want, key)
				assert.GreaterOrEqual(t, ttl, want-time.Minute, key)
			}
		}
	}
}

// TestExpiryIsPutOff: what nothing was added to lives as long as the rest.
func TestExpiryIsPutOff(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	prefix := testservice.Prefix(t)
	c := newCollector(t, client, redismetrics.Options{Prefix: prefix})
	count(c, 1, "")
	c.Record(t.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: 1})
	snapshot(t, c)
	for _, key := range []string{"monitor:errors", "monitor:processing_latency"} {
		key = "{" + prefix + "}:" + key
		require.NoError(t, client.PExpire(t.Context(), key, time.Hour).Err())
		snapshot(t, c)
		assert.Greater(t, client.PTTL(t.Context(), key).Val(), 23*time.Hour, key)
	}
}

// TestSumsStayAtTheLimit has instances whose sums leave 64 bits together.
func TestSumsStayAtTheLimit(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	o := redismetrics.Options{Prefix: testservice.Prefix(t)}
	for range 2 {
		c := newCollector(t, client, o)
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: math.MaxInt64})
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.Retries, Value: math.MaxInt64 - 1})
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.EventsDropped, Value: math.MinInt64 + 1})
		snapshot(t, c)
	}
	c := newCollector(t, client, o)
	m := snapshot(t, c)
	l := m.Metrics[monitor.ProcessingLatency].Distribution
	assert.Equal(t, time.Duration(math.MaxInt64), l.Max)
	assert.Equal(t, time.Duration(math.MaxInt64/2), l.Mean())
	assert.Equal(t, int64(2), l.Count())
	assert.Equal(t, int64(math.MaxInt64), m.Value(monitor.Retries))
	assert.Equal(t, int64(math.MinInt64), m.Value(monitor.EventsDropped))
}

// TestErrorsAreClear has servers that refuse.
func TestErrorsAreClear(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse"
	server := testservice.Redis(t)
	require.NoError(t, testservice.RedisClient(t, server.Addr).ConfigSet(t.Context(), "requirepass", "battery-staple").Err())
	client := testservice.RedisClientWith(t, &redis.UniversalOptions{Addrs: []string{server.Addr}, Password: secret})
	_, err := newCollector(t, client, redismetrics.Options{}).Snapshot(t.Context())
	require.Error(t, err)
	assert.Regexp(t, "^redismetrics: flush: WRONGPASS", err.Error())
	assert.NotContains(t, err.Error(), secret)

	_, err = newCollector(t, testservice.RedisClient(t, "127.0.0.1:1"), redismetrics.Options{}).Snapshot(t.Context())
	assert.ErrorContains(t, err, "127.0.0.1:1: connect: connection refused")
}

// TestForeignData has keys that somebody else wrote.
func TestForeignData(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	for field, want := range map[string]string{
		"64\x00":       "not a histogram bucket",
		"64-64\x00":    "not a histogram bucket",
		"-1-64\x00":    "not a histogram bucket",
		"middle\x00":   "not a histogram bucket",
		"\x00":         "invalid syntax",
		"sum\x00\x00x": "invalid syntax",
	} {
		prefix := testservice.Prefix(t)
		key := "{" + prefix + "}:monitor:processing_latency"
		value := "x"
		if strings.HasPrefix(want, "no") {
			value = "1"
		}
		require.NoError(t, client.HSet(t.Context(), key, field, value).Err())
		_, err := newCollector(t, client, redismetrics.Options{Prefix: prefix}).Snapshot(t.Context())
		require.ErrorContains(t, err, key)
		require.ErrorContains(t, err, want, "field %q", field)
	}
	prefix := testservice.Prefix(t)
	key := "{" + prefix + "}:gauges"
	require.NoError(t, client.HSet(t.Context(), key, "somebody", "{").Err())
	_, err := newCollector(t, client, redismetrics.Options{Prefix: prefix}).Snapshot(t.Context())
	require.ErrorContains(t, err, key)
	require.ErrorContains(t, err, "somebody")
}
