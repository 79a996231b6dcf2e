package rediswindow_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// A hook counts what is sent in pipelines, and the arguments of the longest
// command. It refuses them if it is given an error.
type hook struct {
	pipelines, commands, longest int
	refusal                      error
}

func (h *hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (h *hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.pipelines++
		h.commands += len(cmds)
		for _, cmd := range cmds {
			h.longest = max(h.longest, len(cmd.Args()))
			if h.refusal != nil {
				cmd.SetErr(h.refusal)
			}
		}
		if h.refusal != nil {
			return h.refusal
		}
		return next(ctx, cmds)
	}
}

// wantError checks that an event fails.
func wantError(tb testing.TB, i *instance, second int, want string) {
	tb.Helper()
	got, err := i.detect(tb.Context(), event(second))
	require.ErrorContains(tb, err, want, "at %d", second)
	assert.Empty(tb, got, "at %d", second)
}

// TestFail kills Redis: events fail until it is back, and count once then.
func TestFail(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	i := newInstance(t, testservice.RedisClient(t, server.Addr), rediswindow.Options{OnUnavailable: rediswindow.Fail})
	i.want(t, 0)
	server.Kill()
	for _, want := range []monitor.HealthStatus{monitor.HealthWarning, monitor.HealthWarning, monitor.HealthCritical} {
		wantError(t, i, 1, "detect: exchange windows: rediswindow: exchange windows: ")
		h := check.Health(t, i, want)
		assert.Equal(t, "rediswindow", h.Name)
		assert.NotZero(t, h.LastSuccess)
		assert.False(t, h.LastFailure.Before(h.Since), "%+v", h)
	}
	server.Restart()
	i.want(t, 1)
	check.Health(t, i, monitor.HealthOK)
	i.want(t, 2, "2")
}

func waitFor(tb testing.TB, condition func() bool) {
	tb.Helper()
	require.Eventually(tb, condition, time.Minute, 5*time.Millisecond)
}

// TestReplyIsLost loses the reply to a call that was carried out, after which
// other instances went on.
func TestReplyIsLost(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	proxy := testservice.NewProxy(t, server.Addr)
	o := rediswindow.Options{Prefix: testservice.Prefix(t), OnUnavailable: rediswindow.Fail}
	here, there := newInstance(t, testservice.RedisClient(t, proxy.Addr), o), newInstance(t, testservice.RedisClient(t, server.Addr), o)
	here.want(t, 0)
	there.want(t, 10)
	proxy.Cut(true)
	wantError(t, here, 5, "EOF")
	proxy.Cut(false)
	there.want(t, 6, "6")
	here.want(t, 5, "10", "6") // 10 did at first; 6 may be due to the lost one
	here.want(t, 5, "10", "6")
	there.want(t, 11, "11")
}

// TestRedisRefuses has a Redis without scripts, without memory, and one that
// only reads.
func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	i := newInstance(t, testservice.RedisClient(t, server.Addr), rediswindow.Options{OnUnavailable: rediswindow.Fail})
	i.want(t, 0)
	server.Do("SCRIPT FLUSH")
	i.want(t, 1)
	server.Do("CONFIG SET maxmemory 1")
	wantError(t, i, 2, "OOM")
	server.Do("CONFIG SET maxmemory 0")
	server.Do("REPLICAOF 127.0.0.1 1")
	wantError(t, i, 2, "READONLY")
	server.Do("REPLICAOF NO ONE")
	i.want(t, 2, "2")
}

// TestLocal kills Redis under two instances: each goes on by itself, and both
// find together what they missed when Redis is back.
func TestLocal(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	o := rediswindow.Options{Prefix: testservice.Prefix(t), RetryAfter: time.Nanosecond}
	here, there := newInstance(t, testservice.RedisClient(t, server.Addr), o), newInstance(t, testservice.RedisClient(t, server.Addr), o)
	here.want(t, 0)
	server.Kill()
	here.want(t, 3)
	there.want(t, 1)
	here.want(t, 5)
	here.want(t, 4, "5")
	here.want(t, 4, "5") // delivered again
	there.want(t, 2)
	check.Health(t, here, monitor.HealthWarning)
	server.Restart()
	here.want(t, 9, "4", "5", "9")                 // 0 and 3 to 5 are shared now
	there.want(t, 8, "2", "3", "4", "5", "8", "9") // 1 and 2 as well, and what has them in its window
	check.Health(t, here, monitor.HealthOK)
	check.Health(t, there, monitor.HealthOK)
	here.want(t, 10, "10")
}

// TestLocalIsBounded fills what an instance keeps.
func TestLocalIsBounded(t *testing.T) {
	t.Parallel()
	i := newInstance(t, testservice.RedisClient(t, "127.0.0.1:1"), rediswindow.Options{MaxLocal: 8, RetryAfter: time.Hour})
	i.want(t, 0)
	i.want(t, 1)
	i.want(t, 1) // delivered again, and not kept again
	i.want(t, 2, "2")
	i.want(t, 3, "3")
	check.Health(t, i, monitor.HealthWarning)
	_, err := i.detect(t.Context(), event(4))
	require.ErrorIs(t, err, monitor.ErrOverloaded)
	require.ErrorContains(t, err, "connection refused")
	check.Health(t, i, monitor.HealthCritical)
	other := event(4)
	other.OrganizationID = "org-2" // has a share of its own
	_, err = i.detect(t.Context(), other)
	require.NoError(t, err)
}

// TestLocalLeavesRedisAlone: not every event waits for a Redis that is away.
func TestLocalLeavesRedisAlone(t *testing.T) {
	t.Parallel()
	client := testservice.RedisClient(t, "127.0.0.1:1")
	sent := &hook{}
	client.AddHook(sent)
	i := newInstance(t, client, rediswindow.Options{RetryAfter: time.Hour})
	for second := range 10 {
		_, err := i.detect(t.Context(), event(second))
		require.NoError(t, err)
	}
	assert.Equal(t, 1, sent.pipelines)
}

// TestCallerGivesUp: an event whose caller gave up is not judged.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	for _, policy := range []rediswindow.Policy{rediswindow.Fail, rediswindow.Local} {
		i := newInstance(t, client, rediswindow.Options{OnUnavailable: policy})
		i.want(t, 0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		got, err := i.detect(ctx, event(1))
		require.ErrorIs(t, err, context.Canceled)
		assert.Empty(t, got)
		check.Health(t, i, monitor.HealthOK)
		i.want(t, 1)
		i.want(t, 2, "2")
	}
}

// TestLocalIsAtLeast: an instance by itself does not claim to have seen all.
func TestLocalIsAtLeast(t *testing.T) {
	t.Parallel()
	i := newInstance(t, testservice.RedisClient(t, "127.0.0.1:1"), rediswindow.Options{})
	for second, want := range []int{0, 0, 1, 1} {
		r := monitor.NewReporter(monitor.Arrival{OrganizationID: "org-1", Sequence: uint64(second + 1), Lateness: time.Minute})
		require.NoError(t, i.Detect(t.Context(), event(second), r))
		found := r.Findings()
		require.Len(t, found, want, "event %d", second)
		if want > 0 {
			assert.True(t, found[0].AtLeast, "event %d", second)
		}
	}
}

// newEvents returns events, a second each.
func newEvents(seconds ...int) []detect.NewWindowEvent {
	var es []detect.NewWindowEvent
	for _, s := range seconds {
		id := fmt.Sprint(s)
		es = append(es, detect.NewWindowEvent{
			WindowEvent: detect.WindowEvent{Key: monitor.EventKeyOf("", id), Timestamp: int64(s) * int64(time.Second), ID: id},
			Sequence:    uint64(s),
		})
	}
	return es
}

// TestLocalShows looks at what an instance by itself has of a window.
func TestLocalShows(t *testing.T) {
	t.Parallel()
	windows := newWindows(t, testservice.RedisClient(t, "127.0.0.1:1"), rediswindow.Options{RetryAfter: time.Hour})
	exchange := func(q detect.WindowRequest) (held string, hidden int) {
		t.Helper()
		q.ID, q.Span = "w", 100*time.Second
		answers, err := windows.Exchange(t.Context(), []*detect.WindowRequest{&q})
		require.NoError(t, err)
		require.Len(t, answers, 1)
		require.Same(t, &q, answers[0].Request)
		require.Equal(t, int64(math.MaxInt64), answers[0].Lost)
		var ids []string
		for _, e := range answers[0].Held {
			ids = append(ids, e.ID)
		}
		return strings.Join(ids, " "), answers[0].Hidden[0]
	}
	exchange(detect.WindowRequest{Limit: 100, Events: newEvents(1, 2, 4, 3, 3, 5)})
	for _, c := range []struct {
		q      detect.WindowRequest
		held   string
		hidden int
	}{
		{detect.WindowRequest{Limit: 100}, "1 2 3 4 5", 0},
		{detect.WindowRequest{Limit: 100, Horizon: int64(2 * time.Second)}, "3 4 5", 2},
		{detect.WindowRequest{Limit: 3}, "3 4 5", 2},
		{detect.WindowRequest{Limit: 100, Tail: 2}, "4 5", 3},
		{detect.WindowRequest{Limit: 100, Tail: 9}, "1 2 3 4 5", 0},
	} {
		c.q.Events = newEvents(5)
		held, hidden := exchange(c.q)
		assert.Equal(t, c.held, held, "%+v", c.q)
		assert.Equal(t, c.hidden, hidden, "%+v", c.q)
	}
}

// TestLocalBrings looks at what an instance brings to Redis.
func TestLocalBrings(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	away := &hook{refusal: errors.New("away")}
	client.AddHook(away)
	windows := newWindows(t, client, rediswindow.Options{RetryAfter: time.Nanosecond})
	exchange := func(id string, horizon int64, keep time.Duration, seconds ...int) []detect.WindowAnswer {
		t.Helper()
		q := &detect.WindowRequest{ID: id, Rule: id, Limit: 1000, Horizon: horizon, Keep: keep, Events: newEvents(seconds...)}
		answers, err := windows.Exchange(t.Context(), []*detect.WindowRequest{q})
		require.NoError(t, err)
		require.Same(t, q, answers[0].Request)
		return answers[1:]
	}
	exchange("w", 20, time.Hour, 3, 1)
	exchange("w", 10, 2*time.Hour, 2, 3)
	exchange("w", 30, time.Hour, 4)
	away.refusal = nil
	got := exchange("other", 0, 0, 1)
	want := &detect.WindowRequest{ID: "w", Rule: "w", Limit: 1000, Horizon: 10, Keep: 2 * time.Hour, Events: newEvents(1, 2, 3, 4)}
	require.Len(t, got, 1)
	assert.Equal(t, want, got[0].Request, "want all events and all that they need")
	assert.Empty(t, exchange("other", 0, 0, 2), "brought again")
	away.refusal = errors.New("away")
	for n := range 600 {
		exchange(fmt.Sprint(n), 0, 0, 1, 2)
	}
	away.refusal = nil
	assert.Len(t, exchange("other", 0, 0, 3), 512)
}

// TestFailKeepsWhatIsNeeded: no instance can have missed events to bring.
func TestFailKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	o := rediswindow.Options{Prefix: testservice.Prefix(t), OnUnavailable: rediswindow.Fail}
	i := newInstance(t, client, o)
	i.want(t, 0)
	i.want(t, 181) // the window of a minute and twice the lateness later
	key := client.Keys(t.Context(), o.Prefix+"*").Val()[0]
	assert.EqualValues(t, 1, client.ZCard(t.Context(), key).Val())
}

// TestLongAbsence: an instance that comes back long after another finds what
// they saw together in the meantime.
func TestLongAbsence(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	o := rediswindow.Options{Prefix: testservice.Prefix(t), RetryAfter: time.Nanosecond}
	proxy := testservice.NewProxy(t, server.Addr)
	here, there := newInstance(t, testservice.RedisClient(t, proxy.Addr), o), newInstance(t, testservice.RedisClient(t, server.Addr), o)
	proxy.Cut(true)
	here.want(t, 1)
	here.want(t, 3)
	proxy.Cut(false)
	there.want(t, 2)
	const minute = 60
	for _, second := range []int{10 * minute, 20 * minute, 50 * minute} {
		there.want(t, second)
	}
	here.want(t, 50*minute+1, "3") // and 2, but the first three are 1, 2 and 3
	there.want(t, 70*minute)       // what is older than an hour and the window goes
	client := testservice.RedisClient(t, server.Addr)
	key := client.Keys(t.Context(), o.Prefix+"*").Val()[0]
	assert.EqualValues(t, 5, client.ZCard(t.Context(), key).Val())
}

// TestLocalComesBackInParts: what an instance has kept does not hold up Redis.
func TestLocalComesBackInParts(t *testing.T) {
	t.Parallel()
	const events = 2500
	client := testservice.SharedRedisClient(t)
	sent := &hook{refusal: errors.New("away")}
	client.AddHook(sent)
	i := newInstance(t, client, rediswindow.Options{RetryAfter: time.Nanosecond})
	next := 0
	deliver := func(want int) {
		t.Helper()
		e := event(0)
		e.ID = fmt.Sprint(next)
		e.Timestamp = e.Timestamp.Add(time.Duration(next) * time.Second / 100)
		e.PrincipalID = fmt.Sprint(next % 10 / 9) // most events are of one principal
		next++
		found, err := i.detect(t.Context(), e)
		require.NoError(t, err, "event %d", next)
		require.GreaterOrEqual(t, len(found), want, "event %d", next)
	}
	for range events {
		deliver(min(1, next/30))
	}
	sent.refusal, sent.longest = nil, 0
	for range events / 1024 {
		deliver(1000)
		check.Health(t, i, monitor.HealthWarning)
	}
	deliver(events % 1024)
	check.Health(t, i, monitor.HealthOK)
	assert.LessOrEqual(t, sent.longest, 5*1024)
}
