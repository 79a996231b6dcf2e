package redismetrics_test

import (
	"errors"
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

func TestSeriesAllocateNothing(t *testing.T) {
	c := newCollector(t, connect(t, "127.0.0.1:1"), redismetrics.Options{})
	labels := []redismetrics.Label{{Name: "endpoint", Value: "POST /events"}, {Name: "status", Value: "200"}}
	record := func() {
		c.Counter("bytes", labels...).Add(512)
		c.Gauge("connections", labels...).Set(3)
		c.Histogram("requests", labels...).Observe(time.Millisecond)
		c.Histogram("requests", redismetrics.Label{Name: "endpoint", Value: "GET /"}).Fail(time.Millisecond)
	}
	record() // the series become known
	if n := testing.AllocsPerRun(100, record); n != 0 {
		t.Errorf("a known series allocates %v times", n)
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
				count(c, 1, []string{"", "panic", "handler"}[n%3])
				c.Record(t.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: int64(i*each+n+1) * 1000})
				c.Counter("bytes").Add(10)
				c.Histogram("request").Observe(time.Second)
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
	if got := m.ByAttribute[monitor.Errors]["panic"]; got != instances*(each+1)/3 {
		t.Errorf("%d panics, want %d", got, instances*(each+1)/3)
	}
	l := m.Latency
	if want := 20 * time.Millisecond; l.Count != instances*each || l.Max != want || l.Mean != want/2+500 {
		t.Errorf("latency %+v, want %d to %v", l, instances*each, want)
	}
	if p95 := 19 * time.Millisecond; l.P95 < p95*31/32 || l.P95 > p95*33/32 {
		t.Errorf("p95 = %v, want about %v", l.P95, p95)
	}
	wantSeries(t, reader, monitor.KindCounter, "bytes", redismetrics.Series{Value: 10 * instances * each})
	second := monitor.LatencySummary{
		Count: instances * each, Mean: time.Second, P50: time.Second, P95: time.Second, P99: time.Second, Max: time.Second,
	}
	got, err := reader.Read(t.Context(), monitor.KindHistogram, "request")
	if err != nil || len(got) != 1 {
		t.Fatalf("request = %v, %v, want one series", got, err)
	}
	// Quantiles are estimates.
	got[0].Latency.P50, got[0].Latency.P95, got[0].Latency.P99 = time.Second, time.Second, time.Second
	if got[0].Latency != second {
		t.Errorf("request took %+v, want %+v", got[0].Latency, second)
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
		parts := m.ByAttribute[monitor.Errors]
		if len(parts) != 1025 || m.Value(monitor.Errors) != 1400 || parts["other"] != 376 || parts["first"] != 1 {
			t.Errorf("%d errors, %d of others, under %d attributes, want 1400, 376 and 1025", m.Value(monitor.Errors), parts["other"], len(parts))
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
		c.Gauge("connections").Set(7)
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
	wantSeries(t, long, monitor.KindGauge, "connections", redismetrics.Series{Value: 7})
}

// TestRetention looks at what expires.
func TestRetention(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
	for retention, want := range map[time.Duration]time.Duration{0: 24 * time.Hour, time.Hour: time.Hour, -1: -1} {
		prefix := testservice.Prefix(t)
		c := newCollector(t, client, redismetrics.Options{Prefix: prefix, Retention: retention})
		count(c, 1, "")
		c.Counter("bytes").Add(1)
		c.Histogram("request").Observe(1)
		snapshot(t, c)
		keys, err := client.Keys(t.Context(), "{"+prefix+"}:*").Result()
		if err != nil || len(keys) != 6 {
			t.Errorf("keys %q, error %v, want 6", keys, err)
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
	c.Counter("bytes").Add(1)
	snapshot(t, c)
	for _, key := range []string{"monitor:errors", "counter:bytes"} {
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
		c.Counter("up").Add(math.MaxInt64 - 1)
		c.Counter("down").Add(math.MinInt64 + 1)
		snapshot(t, c)
	}
	c := newCollector(t, client, o)
	m := snapshot(t, c)
	if m.Latency.Max != math.MaxInt64 || m.Latency.Mean != math.MaxInt64/2 || m.Latency.Count != 2 {
		t.Errorf("latency %+v", m.Latency)
	}
	wantSeries(t, c, monitor.KindCounter, "up", redismetrics.Series{Value: math.MaxInt64})
	wantSeries(t, c, monitor.KindCounter, "down", redismetrics.Series{Value: math.MinInt64})
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
		"1888\x00":     "no bucket",
		"-1\x00":       "no bucket",
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
	c := newCollector(t, client, redismetrics.Options{Prefix: prefix})
	_, err := c.Snapshot(t.Context())
	_, readErr := c.Read(t.Context(), monitor.KindGauge, "connections")
	for _, err := range []error{err, readErr} {
		if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "somebody") {
			t.Errorf("broken gauges: error %v", err)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	t.Parallel()
	c := newCollector(t, connect(t, "127.0.0.1:1"), redismetrics.Options{})
	if _, err := c.Read(t.Context(), monitor.Kind(9), "x"); err == nil || errors.Is(err, redis.Nil) {
		t.Errorf("error %v", err)
	}
}
