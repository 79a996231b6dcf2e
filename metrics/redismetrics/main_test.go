package redismetrics_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/leaktest"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func newCollector(tb testing.TB, client redis.UniversalClient, o redismetrics.Options) *redismetrics.Collector {
	tb.Helper()
	if o.Prefix == "" {
		o.Prefix = testservice.Prefix(tb)
	}
	c, err := redismetrics.New(client, &o)
	require.NoError(tb, err)
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
	require.NoError(tb, err)
	return m
}

func wantErrors(tb testing.TB, c *redismetrics.Collector, want int64) {
	tb.Helper()
	m := snapshot(tb, c)
	assert.Equal(tb, want, m.Value(monitor.Errors), "errors in total")
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
			require.FailNow(tb, "not within a minute: "+what)
		}
	}
}

func failing(c *redismetrics.Collector) bool {
	return c.Health(context.Background())[0].Status == monitor.HealthWarning
}
