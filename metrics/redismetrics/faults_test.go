package redismetrics_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// A load counts errors in several instances until it is stopped.
type load struct {
	stop    func() (counted int64) // and flushes a last time
	started *redismetrics.Collector
	counted atomic.Int64
}

func startLoad(tb testing.TB, o redismetrics.Options, clients ...redis.UniversalClient) *load {
	tb.Helper()
	done := make(chan struct{})
	var counting sync.WaitGroup
	var stops []func() error
	l := &load{}
	for _, client := range clients {
		c := newCollector(tb, client, o)
		stops = append(stops, run(tb, c))
		l.started = c
		counting.Go(func() {
			tick := time.NewTicker(100 * time.Microsecond)
			defer tick.Stop()
			for {
				select {
				case <-done:
					return
				case <-tick.C:
					count(c, 3, "panic")
					l.counted.Add(3)
				}
			}
		})
	}
	l.stop = func() int64 {
		close(done)
		counting.Wait()
		for _, stop := range stops {
			require.NoError(tb, stop())
		}
		return l.counted.Load()
	}
	return l
}

// more waits until n more errors were counted.
func (l *load) more(tb testing.TB, n int64) {
	tb.Helper()
	counted := l.counted.Load()
	eventually(tb, "errors are counted", func() bool { return l.counted.Load() >= counted+n })
}

// TestRedisIsKilled kills Redis under load, several times.
func TestRedisIsKilled(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	o := redismetrics.Options{Prefix: testservice.Prefix(t), Interval: time.Millisecond}
	l := startLoad(t, o, testservice.RedisClient(t, server.Addr), testservice.RedisClient(t, server.Addr), testservice.RedisClient(t, server.Addr))
	for range 3 {
		server.Kill()
		eventually(t, "health says so", func() bool { return failing(l.started) })
		server.Restart()
		eventually(t, "health is well again", func() bool { return !failing(l.started) })
	}
	want := l.stop()
	wantErrors(t, newCollector(t, testservice.RedisClient(t, server.Addr), o), want)
}

// TestRedisHangs: what a hanging Redis was sent it carries out later, although
// nobody waits any more.
func TestRedisHangs(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	o := redismetrics.Options{Prefix: testservice.Prefix(t), Interval: time.Millisecond}
	l := startLoad(t, o, testservice.RedisClient(t, server.Addr), testservice.RedisClient(t, server.Addr))
	server.Pause()
	eventually(t, "health says so", func() bool { return failing(l.started) })
	server.Resume()
	eventually(t, "health is well again", func() bool { return !failing(l.started) })
	want := l.stop()
	wantErrors(t, newCollector(t, testservice.RedisClient(t, server.Addr), o), want)
}

// TestScriptsAreFlushed makes Redis forget the script under load.
func TestScriptsAreFlushed(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	o := redismetrics.Options{Prefix: testservice.Prefix(t), Interval: time.Millisecond}
	l := startLoad(t, o, testservice.RedisClient(t, server.Addr), testservice.RedisClient(t, server.Addr))
	client := testservice.RedisClient(t, server.Addr)
	for range 20 {
		l.more(t, 50)
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
	}
	check.Health(t, l.started, monitor.HealthOK)
	want := l.stop()
	wantErrors(t, newCollector(t, client, o), want)
}

// TestReplyIsLost loses the replies to flushes that were carried out.
func TestReplyIsLost(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	p := testservice.NewProxy(t, server.Addr)
	c := newCollector(t, testservice.RedisClient(t, p.Addr), redismetrics.Options{})
	count(c, 1, "") // so that the connection is made
	wantErrors(t, c, 1)
	c.Record(t.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: int64(time.Second)})
	p.Cut(true)
	for range 3 {
		count(c, 10, "panic")
		_, err := c.Snapshot(t.Context())
		require.Error(t, err, "the reply was lost")
	}
	require.NotZero(t, p.Cuts(), "replies were lost")
	p.Cut(false)
	wantErrors(t, c, 31)
	m := snapshot(t, c)
	d := m.Metrics[monitor.ProcessingLatency].Distribution
	assert.EqualValues(t, 1, d.Count())
	assert.Equal(t, time.Second, d.Mean())
}

// TestClientTriesAgain has a client that sends a command again by itself when
// the reply is lost.
func TestClientTriesAgain(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	p := testservice.NewProxy(t, server.Addr)
	client := testservice.RedisClientWith(t, &redis.UniversalOptions{
		Addrs: []string{p.Addr}, MaxRetries: 1000, MinRetryBackoff: time.Millisecond, MaxRetryBackoff: time.Millisecond,
	})
	c := newCollector(t, client, redismetrics.Options{})
	wantErrors(t, c, 0)
	p.Cut(true)
	count(c, 5, "")
	done := make(chan error)
	go func() {
		_, err := c.Snapshot(t.Context())
		done <- err
	}()
	eventually(t, "the reply was lost twice", func() bool { return p.Cuts() >= 2 })
	p.Cut(false)
	require.NoError(t, <-done)
	wantErrors(t, c, 5)
}

// TestRedisRefuses has a Redis without memory, without scripts, and one that
// only reads: a flush counts as a whole or not at all.
func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	client := testservice.RedisClient(t, server.Addr)
	c := newCollector(t, client, redismetrics.Options{})
	do := func(args ...any) {
		t.Helper()
		require.NoError(t, client.Do(t.Context(), args...).Err())
	}
	wantErrors(t, c, 0)
	count(c, 1, "")
	do("SCRIPT", "FLUSH")
	wantErrors(t, c, 1)
	for _, fault := range []struct {
		want       string
		begin, end []any
	}{
		{"OOM", []any{"CONFIG", "SET", "maxmemory", "1"}, []any{"CONFIG", "SET", "maxmemory", "0"}},
		{"READONLY", []any{"REPLICAOF", "127.0.0.1", "1"}, []any{"REPLICAOF", "NO", "ONE"}},
	} {
		before := snapshot(t, c)
		do(fault.begin...)
		count(c, 10, "")
		count(c, 10, "panic")
		_, err := c.Snapshot(t.Context())
		require.ErrorContains(t, err, fault.want)
		do(fault.end...)
		wantErrors(t, c, before.Value(monitor.Errors)+20)
	}
}

// TestDataAreLost: what is lost with Redis is not counted again, and counting
// goes on.
func TestDataAreLost(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	client := testservice.RedisClient(t, server.Addr)
	c := newCollector(t, client, redismetrics.Options{})
	count(c, 7, "")
	wantErrors(t, c, 7)
	require.NoError(t, client.FlushAll(t.Context()).Err())
	count(c, 2, "")
	wantErrors(t, c, 2)
}

// TestClusterNodeIsLost kills the node that has the totals.
func TestClusterNodeIsLost(t *testing.T) {
	t.Parallel()
	cluster := testservice.Cluster(t)
	client := testservice.RedisClient(t, cluster.Addrs()...)
	o := redismetrics.Options{Prefix: testservice.Prefix(t), Interval: time.Millisecond}
	l := startLoad(t, o, client, testservice.RedisClient(t, cluster.Addrs()...))
	wantErrorsAtLeast(t, l.started, 1)
	keys := func(node *testservice.RedisServer) int64 {
		return testservice.RedisClient(t, node.Addr).DBSize(t.Context()).Val()
	}
	lost := 0
	for _, node := range cluster.Nodes {
		if keys(node) == 0 {
			continue
		}
		lost++
		node.Kill()
		eventually(t, "health says so", func() bool { return failing(l.started) })
		node.Restart()
		eventually(t, "health is well again", func() bool { return !failing(l.started) })
	}
	assert.Equal(t, 1, lost, "nodes with keys")
	want := l.stop()
	wantErrors(t, newCollector(t, client, o), want)
}

// TestSlotIsMoved moves the totals from node to node under load.
func TestSlotIsMoved(t *testing.T) {
	t.Parallel()
	cluster := testservice.Cluster(t)
	o := redismetrics.Options{Prefix: testservice.Prefix(t), Interval: time.Millisecond}
	l := startLoad(t, o, testservice.RedisClient(t, cluster.Addrs()...), testservice.RedisClient(t, cluster.Addrs()...))
	wantErrorsAtLeast(t, l.started, 1)
	for range 3 {
		cluster.MoveSlot("{"+o.Prefix+"}", func() { l.more(t, 300) })
		l.more(t, 300)
		eventually(t, "flushes succeed", func() bool { return !failing(l.started) })
	}
	want := l.stop()
	wantErrors(t, newCollector(t, testservice.RedisClient(t, cluster.Addrs()...), o), want)
}

func wantErrorsAtLeast(tb testing.TB, c *redismetrics.Collector, want int64) {
	tb.Helper()
	eventually(tb, "something was counted", func() bool {
		m := snapshot(tb, c)
		return m.Value(monitor.Errors) >= want
	})
}

func TestRunReturnsErrorOfLastFlush(t *testing.T) {
	t.Parallel()
	c := newCollector(t, testservice.RedisClient(t, "127.0.0.1:1"), redismetrics.Options{Interval: time.Hour})
	count(c, 1, "")
	require.ErrorContains(t, run(t, c)(), "redismetrics: flush")
	h := check.Health(t, c, monitor.HealthWarning)
	assert.Equal(t, "redismetrics", h.Name)
	assert.Contains(t, h.Message, "connection refused")
}

// TestSnapshotWaitsForFlush: a snapshot gives up when its context ends, while a
// flush hangs.
func TestSnapshotWaitsForFlush(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	client := testservice.RedisClientWith(t, &redis.UniversalOptions{Addrs: []string{server.Addr}, MaxRetries: -1, ReadTimeout: -1})
	c := newCollector(t, client, redismetrics.Options{})
	wantErrors(t, c, 0)
	server.Pause()
	hanging := make(chan struct{})
	first := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client.AddHook(&hook{process: func() { close(hanging) }})
	go func() {
		_, err := c.Snapshot(ctx)
		first <- err
	}()
	<-hanging
	soon, cancelSoon := context.WithCancel(t.Context())
	cancelSoon()
	_, err := c.Snapshot(soon)
	require.ErrorContains(t, err, "wait for flush: context canceled")
	server.Resume()
	require.NoError(t, <-first)
}

// A hook is told of every command and pipeline that is sent.
type hook struct {
	once    sync.Once
	process func()
	sent    atomic.Int64
}

func (h *hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.tell()
		return next(ctx, cmd)
	}
}

func (h *hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.tell()
		return next(ctx, cmds)
	}
}

func (h *hook) tell() {
	h.sent.Add(1)
	if h.process != nil {
		h.once.Do(h.process)
	}
}

// TestFlushIsOneRoundTrip counts what is sent: for a flush and for a snapshot.
func TestFlushIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	c := newCollector(t, client, redismetrics.Options{Interval: time.Hour})
	wantErrors(t, c, 0) // the script becomes known
	sent := &hook{}
	client.AddHook(sent)
	wantErrors(t, c, 0)
	assert.EqualValues(t, 2, sent.sent.Load(), "round trips of a snapshot")
	for i := range 1000 {
		count(c, 1, strings.Repeat("x", i))
		c.Record(t.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: int64(i) * int64(time.Millisecond)})
	}
	require.NoError(t, run(t, c)())
	assert.EqualValues(t, 3, sent.sent.Load(), "round trips of a snapshot and a flush")
}
