package rediswindow_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// A hook counts what is sent in pipelines.
type hook struct{ pipelines, commands int }

func (h *hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (h *hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.pipelines++
		h.commands += len(cmds)
		return next(ctx, cmds)
	}
}

// wantError checks that an event fails.
func wantError(tb testing.TB, i *instance, second int, want string) {
	tb.Helper()
	got, err := i.detect(tb.Context(), event(second))
	if err == nil || !strings.Contains(err.Error(), want) || len(got) != 0 {
		tb.Errorf("at %d: %q qualify, error %v, want %q", second, got, err, want)
	}
}

// TestFail kills Redis: events fail until it is back, and count once then.
func TestFail(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	i := newInstance(t, connect(t, server.Addr), rediswindow.Options{})
	i.want(t, 0)
	server.Kill()
	wantError(t, i, 1, "detect: exchange windows: rediswindow: exchange windows: ")
	wantHealth(t, i, monitor.HealthCritical)
	server.Restart()
	i.want(t, 1)
	wantHealth(t, i, monitor.HealthOK)
	i.want(t, 2, "2")
}

// TestRedisHangs: what a hanging Redis was sent it carries out later; the event
// counts once.
func TestRedisHangs(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr, MaxRetries: -1, ReadTimeout: 50 * time.Millisecond})
	t.Cleanup(func() { client.Close() })
	i := newInstance(t, client, rediswindow.Options{})
	i.want(t, 0)
	server.Pause()
	wantError(t, i, 1, "timeout")
	server.Resume()
	waitFor(t, func() bool {
		_, err := i.detect(t.Context(), event(1))
		return err == nil
	})
	i.want(t, 1)
	i.want(t, 2, "2")
}

func waitFor(tb testing.TB, condition func() bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !condition(); {
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatal("not within a minute")
		}
	}
}

// TestReplyIsLost loses the reply to a call that was carried out, after which
// other instances went on.
func TestReplyIsLost(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	cut, addr := newProxy(t, server.Addr)
	o := rediswindow.Options{Prefix: testservice.Prefix(t)}
	here, there := newInstance(t, connect(t, addr), o), newInstance(t, connect(t, server.Addr), o)
	here.want(t, 0)
	there.want(t, 10)
	cut.Store(true)
	wantError(t, here, 5, "EOF")
	cut.Store(false)
	there.want(t, 6, "6")
	here.want(t, 5, "10", "6") // 10 did at first; 6 may be due to the lost one
	here.want(t, 5, "10", "6")
	there.want(t, 11, "11")
}

// newProxy returns the address of a proxy that, while cut is set, ends a
// connection in place of passing on a reply.
func newProxy(tb testing.TB, server string) (cut *atomic.Bool, addr string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	cut = &atomic.Bool{}
	serve := func(client net.Conn) {
		defer client.Close()
		upstream, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer upstream.Close()
		var sending sync.WaitGroup
		defer sending.Wait()
		sending.Go(func() {
			_, _ = io.Copy(upstream, client)
			upstream.Close()
		})
		buf := make([]byte, 64<<10)
		for {
			n, err := upstream.Read(buf)
			if err == nil && !cut.Load() {
				_, err = client.Write(buf[:n])
			}
			if err != nil || cut.Load() {
				client.Close()
				return
			}
		}
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			serving.Go(func() { serve(client) })
		}
	})
	tb.Cleanup(func() {
		listener.Close()
		serving.Wait() // the client was closed before
	})
	return cut, listener.Addr().String()
}

// TestRedisRefuses has a Redis without scripts, without memory, and one that
// only reads.
func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	client := connect(t, server.Addr)
	i := newInstance(t, client, rediswindow.Options{})
	do := func(args ...any) {
		t.Helper()
		if err := client.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	i.want(t, 0)
	do("SCRIPT", "FLUSH")
	i.want(t, 1)
	do("CONFIG", "SET", "maxmemory", "1")
	wantError(t, i, 2, "OOM")
	do("CONFIG", "SET", "maxmemory", "0")
	do("REPLICAOF", "127.0.0.1", "1")
	wantError(t, i, 2, "READONLY")
	do("REPLICAOF", "NO", "ONE")
	i.want(t, 2, "2")
}

// TestLocal kills Redis under two instances: each goes on by itself, and both
// find together what they missed when Redis is back.
func TestLocal(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	o := rediswindow.Options{Prefix: testservice.Prefix(t), Away: rediswindow.Local, RetryAfter: time.Nanosecond}
	here, there := newInstance(t, connect(t, server.Addr), o), newInstance(t, connect(t, server.Addr), o)
	here.want(t, 0)
	server.Kill()
	here.want(t, 3)
	there.want(t, 1)
	here.want(t, 5)
	here.want(t, 4, "5")
	here.want(t, 4, "5") // delivered again
	there.want(t, 2)
	wantHealth(t, here, monitor.HealthWarning)
	server.Restart()
	here.want(t, 9, "4", "5", "9")                 // 0 and 3 to 5 are shared now
	there.want(t, 8, "2", "3", "4", "5", "8", "9") // 1 and 2 as well, and what has them in its window
	wantHealth(t, here, monitor.HealthOK)
	wantHealth(t, there, monitor.HealthOK)
	here.want(t, 10, "10")
}

// TestLocalIsBounded fills what an instance keeps.
func TestLocalIsBounded(t *testing.T) {
	t.Parallel()
	i := newInstance(t, connect(t, "127.0.0.1:1"), rediswindow.Options{Away: rediswindow.Local, MaxLocal: 4, RetryAfter: time.Hour})
	i.want(t, 0)
	i.want(t, 1)
	i.want(t, 1) // delivered again, and not kept again
	i.want(t, 2, "2")
	i.want(t, 3, "3")
	wantHealth(t, i, monitor.HealthWarning)
	_, err := i.detect(t.Context(), event(4))
	if !errors.Is(err, monitor.ErrOverloaded) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v, want ErrOverloaded and why", err)
	}
	wantHealth(t, i, monitor.HealthCritical)
}

// TestLocalLeavesRedisAlone: not every event waits for a Redis that is away.
func TestLocalLeavesRedisAlone(t *testing.T) {
	t.Parallel()
	client := connect(t, "127.0.0.1:1")
	sent := &hook{}
	client.AddHook(sent)
	i := newInstance(t, client, rediswindow.Options{Away: rediswindow.Local, RetryAfter: time.Hour})
	for second := range 10 {
		if _, err := i.detect(t.Context(), event(second)); err != nil {
			t.Fatal(err)
		}
	}
	if sent.pipelines != 1 {
		t.Errorf("Redis was tried %d times, want 1", sent.pipelines)
	}
}

// TestCallerGivesUp: an event whose caller gave up is not judged.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	client := connectURL(t)
	for _, policy := range []rediswindow.Policy{rediswindow.Fail, rediswindow.Local} {
		i := newInstance(t, client, rediswindow.Options{Away: policy})
		i.want(t, 0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got, err := i.detect(ctx, event(1)); !errors.Is(err, context.Canceled) || len(got) != 0 {
			t.Errorf("%q qualify, error %v", got, err)
		}
		wantHealth(t, i, monitor.HealthOK)
		i.want(t, 1)
		i.want(t, 2, "2")
	}
}

// TestLocalUnderLoad kills and restarts Redis while instances work at the same
// time: in the end, each event qualified.
func TestLocalUnderLoad(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	o := rediswindow.Options{Prefix: testservice.Prefix(t), Away: rediswindow.Local, RetryAfter: time.Millisecond}
	var mu sync.Mutex
	qualified := map[string]bool{}
	var counted atomic.Int64
	var working sync.WaitGroup
	done := make(chan struct{})
	work := func(i *instance) {
		e := event(0)
		n := counted.Add(1)
		e.ID = time.Duration(n).String()
		e.Timestamp = e.Timestamp.Add(time.Duration(n))
		ids, err := i.detect(t.Context(), e)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, id := range ids {
			qualified[id] = true
		}
	}
	var instances []*instance
	for range 3 {
		i := newInstance(t, connect(t, server.Addr), o)
		instances = append(instances, i)
		for range 2 {
			working.Go(func() {
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-done:
						return
					case <-tick.C:
						work(i)
					}
				}
			})
		}
	}
	waitFor(t, func() bool { return counted.Load() > 50 })
	for range 2 {
		server.Kill()
		from := counted.Load()
		waitFor(t, func() bool { return counted.Load() > from+50 })
		server.Restart()
		waitFor(t, func() bool {
			return !slices.ContainsFunc(instances, func(i *instance) bool { return i.Health(t.Context()).Status != monitor.HealthOK })
		})
	}
	close(done)
	working.Wait()
	for _, i := range instances {
		work(i) // brings what is left
	}
	for n := int64(3); n <= counted.Load(); n++ {
		if id := time.Duration(n).String(); !qualified[id] {
			t.Errorf("event %d of %d did not qualify", n, counted.Load())
		}
	}
}
