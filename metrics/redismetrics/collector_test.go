package redismetrics_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

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
	metricstest.RunCollector(t, harness(connectURL(t)))
}

func TestCollectorOnCluster(t *testing.T) {
	t.Parallel()
	metricstest.RunCollector(t, harness(connect(t, testservice.Cluster(t).Addrs()...)))
}

func TestRecordAllocatesNothing(t *testing.T) {
	c := newCollector(t, connect(t, "127.0.0.1:1"), redismetrics.Options{})
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
	if n := testing.AllocsPerRun(100, record); n != 0 {
		t.Errorf("Record allocates %v times", n)
	}
}

func TestNewNamesBadOption(t *testing.T) {
	t.Parallel()
	client := connect(t, "127.0.0.1:1")
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
		switch {
		case c.want == "":
			if err != nil || got == nil {
				t.Errorf("%+v: %v", c.options, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%+v: error %v, want one about %s", c.options, err, c.want)
		}
	}
}

// TestInstancesAddUp has several instances that run, and that end.
func TestInstancesAddUp(t *testing.T) {
	t.Parallel()
	const instances, each = 4, 5000
	client := connectURL(t)
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
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	reader := newCollector(t, client, o)
	m := snapshot(t, reader)
	if got := m.Value(monitor.Errors); got != instances*each {
		t.Errorf("%d errors, want %d", got, instances*each)
	}
	if got := m.Metrics[monitor.Errors].ByAttribute["panic"].Value; got != instances*(each+1)/3 {
		t.Errorf("%d panics, want %d", got, instances*(each+1)/3)
	}
	l := m.Metrics[monitor.ProcessingLatency].Distribution
	if want := 20 * time.Millisecond; l.Count() != instances*each || l.Max != want || l.Mean() != want/2+500 {
		t.Errorf("latency %+v, want %d to %v", l, instances*each, want)
	}
	if got, want := l.Quantile(0.95), 19*time.Millisecond; got < want*31/32 || got > want*33/32 {
		t.Errorf("p95 = %v, want about %v", got, want)
	}
	if got := m.Value(monitor.AlertsCreated); got != 10*instances*each {
		t.Errorf("%d alerts, want %d", got, 10*instances*each)
	}
	deliveries := m.Metrics[monitor.DeliveryDuration]
	for _, d := range []monitor.MetricData{deliveries, deliveries.ByAttribute["slack"]} {
		if l := d.Distribution; d.Value != instances*each || l.Count() != instances*each || l.Mean() != time.Second || l.Max != time.Second {
			t.Errorf("deliveries took %+v, want %d of a second", d, instances*each)
		}
	}
}

// TestAttributesAreBoundedOverInstances has two instances whose attributes
// differ.
func TestAttributesAreBoundedOverInstances(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
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
		if len(parts) != 1025 || m.Value(monitor.Errors) != 1400 || parts["other"].Value != 376 || parts["first"].Value != 1 {
			t.Errorf("%d errors, %d of others, under %d attributes, want 1400, 376 and 1025", m.Value(monitor.Errors), parts["other"].Value, len(parts))
		}
	}
}

// TestGaugesAreOfLiveInstances has an instance that ends without a word.
func TestGaugesAreOfLiveInstances(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
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
	if got := depth(); got != 10 {
		t.Errorf("depth of two instances = %d, want 10", got)
	}
	eventually(t, "only one instance is live", func() bool { return depth() == 5 })
}

// TestSharedGaugeIsNotAddedUp has instances that tell about one store, of which
// one has not looked yet.
func TestSharedGaugeIsNotAddedUp(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
	o := redismetrics.Options{Prefix: testservice.Prefix(t)}
	var m monitor.MetricsSnapshot
	for _, backlog := range []int64{6, 6, 0} {
		c := newCollector(t, client, o)
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.NotificationBacklog, Value: backlog})
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.QuarantineDepth, Value: backlog})
		m = snapshot(t, c)
	}
	if got := m.Value(monitor.NotificationBacklog); got != 6 {
		t.Errorf("backlog of the store = %d, want 6", got)
	}
	if got := m.Value(monitor.QuarantineDepth); got != 12 {
		t.Errorf("quarantine of all instances = %d, want 12", got)
	}
}

// TestRetention looks at what expires.
func TestRetention(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
	for retention, want := range map[time.Duration]time.Duration{0: 24 * time.Hour, time.Hour: time.Hour, -1: -1} {
		prefix := testservice.Prefix(t)
		c := newCollector(t, client, redismetrics.Options{Prefix: prefix, Retention: retention})
		count(c, 1, "")
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: 1})
		snapshot(t, c)
		keys, err := client.Keys(t.Context(), "{"+prefix+"}:*").Result()
		if err != nil || len(keys) != 5 {
			t.Errorf("keys %q, error %v, want 5", keys, err)
		}
		for _, key := range keys {
			want := want
			if strings.Contains(key, ":flush:") {
				want = 24 * time.Hour
			}
			ttl, err := client.PTTL(t.Context(), key).Result()
			if err != nil || ttl > want || ttl < want-time.Minute || want < 0 && ttl != want {
				t.Errorf("retention %v: %s expires in %v, error %v, want %v", retention, key, ttl, err, want)
			}
		}
	}
}

// TestExpiryIsPutOff: what nothing was added to lives as long as the rest.
func TestExpiryIsPutOff(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
	prefix := testservice.Prefix(t)
	c := newCollector(t, client, redismetrics.Options{Prefix: prefix})
	count(c, 1, "")
	c.Record(t.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: 1})
	snapshot(t, c)
	for _, key := range []string{"monitor:errors", "monitor:processing_latency"} {
		key = "{" + prefix + "}:" + key
		if err := client.PExpire(t.Context(), key, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		snapshot(t, c)
		if ttl := client.PTTL(t.Context(), key).Val(); ttl < 23*time.Hour {
			t.Errorf("%s expires in %v", key, ttl)
		}
	}
}

// TestSumsStayAtTheLimit has instances whose sums leave 64 bits together.
func TestSumsStayAtTheLimit(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
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
	if l := m.Metrics[monitor.ProcessingLatency].Distribution; l.Max != math.MaxInt64 || l.Mean() != math.MaxInt64/2 || l.Count() != 2 {
		t.Errorf("latency %+v", l)
	}
	if up, down := m.Value(monitor.Retries), m.Value(monitor.EventsDropped); up != math.MaxInt64 || down != math.MinInt64 {
		t.Errorf("sums %d and %d, want the limits", up, down)
	}
}

// TestErrorsAreClear has servers that refuse.
func TestErrorsAreClear(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse"
	server := testservice.Redis(t)
	if err := connect(t, server.Addr).ConfigSet(t.Context(), "requirepass", "battery-staple").Err(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Password: secret})
	t.Cleanup(func() { client.Close() })
	_, err := newCollector(t, client, redismetrics.Options{}).Snapshot(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "redismetrics: flush: WRONGPASS") || strings.Contains(err.Error(), secret) {
		t.Errorf("wrong password: error %v", err)
	}

	_, err = newCollector(t, connect(t, "127.0.0.1:1"), redismetrics.Options{}).Snapshot(t.Context())
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1: connect: connection refused") {
		t.Errorf("nobody listens: error %v", err)
	}
}

// TestForeignData has keys that somebody else wrote.
func TestForeignData(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
	for field, want := range map[string]string{
		"64\x00":       "no bucket",
		"64-64\x00":    "no bucket",
		"-1-64\x00":    "no bucket",
		"middle\x00":   "no bucket",
		"\x00":         "invalid syntax",
		"sum\x00\x00x": "invalid syntax",
	} {
		prefix := testservice.Prefix(t)
		key := "{" + prefix + "}:monitor:processing_latency"
		value := "x"
		if strings.HasPrefix(want, "no") {
			value = "1"
		}
		if err := client.HSet(t.Context(), key, field, value).Err(); err != nil {
			t.Fatal(err)
		}
		_, err := newCollector(t, client, redismetrics.Options{Prefix: prefix}).Snapshot(t.Context())
		if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), want) {
			t.Errorf("field %q: error %v, want one about %q", field, err, want)
		}
	}
	prefix := testservice.Prefix(t)
	key := "{" + prefix + "}:gauges"
	if err := client.HSet(t.Context(), key, "somebody", "{").Err(); err != nil {
		t.Fatal(err)
	}
	_, err := newCollector(t, client, redismetrics.Options{Prefix: prefix}).Snapshot(t.Context())
	if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "somebody") {
		t.Errorf("broken gauges: error %v", err)
	}
}
