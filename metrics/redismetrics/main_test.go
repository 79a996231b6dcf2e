package redismetrics_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/internal/leaktest"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// connect returns a client that gives up soon and, so that a test sees what
// happens, does not try again by itself.
func connect(tb testing.TB, addrs ...string) redis.UniversalClient {
	tb.Helper()
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: addrs, MaxRetries: -1, ReadTimeout: time.Second, DialTimeout: time.Second, ContextTimeoutEnabled: true,
	})
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

func newCollector(tb testing.TB, client redis.UniversalClient, o redismetrics.Options) *redismetrics.Collector {
	tb.Helper()
	if o.Prefix == "" {
		o.Prefix = testservice.Prefix(tb)
	}
	c, err := redismetrics.New(client, &o)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// run runs a collector until the returned function is called, which returns the
// error of Run.
func run(tb testing.TB, c *redismetrics.Collector) (stop func() error) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	tb.Cleanup(cancel)
	result := make(chan error, 1)
	go func() { result <- c.Run(ctx) }()
	return func() error {
		cancel()
		return <-result
	}
}

func count(c *redismetrics.Collector, n int64, attribute string) {
	c.Record(context.Background(), monitor.Measurement{Metric: monitor.Errors, Value: n, Attribute: attribute})
}

func snapshot(tb testing.TB, c *redismetrics.Collector) monitor.MetricsSnapshot {
	tb.Helper()
	m, err := c.Snapshot(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func wantErrors(tb testing.TB, c *redismetrics.Collector, want int64) {
	tb.Helper()
	m := snapshot(tb, c)
	if got := m.Value(monitor.Errors); got != want {
		tb.Errorf("%d errors in total, want %d", got, want)
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

func failing(c *redismetrics.Collector) bool {
	return c.Health(context.Background())[0].Status == monitor.HealthWarning
}
