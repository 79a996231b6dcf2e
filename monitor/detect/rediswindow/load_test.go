package rediswindow_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// A load is an attack that three instances see a part of each, on few
// principals, in events of any order. For each rule every event qualifies but
// the first two of its principal. An event that fails is delivered again until
// it does not.
type load struct {
	tb        testing.TB
	prefix    string
	twice     bool // every event is delivered to a second instance as well
	instances []*instance

	mu        sync.Mutex
	qualified map[string]bool // rule and ID

	begun, delivered, failed atomic.Int64
	done                     chan struct{}
	working                  sync.WaitGroup
}

const (
	loadPrincipals = 4
	loadThreshold  = 3
)

func loadRules() []detect.Rule {
	all := func(*monitor.Event) bool { return true }
	return []detect.Rule{
		{Name: "count", Match: all, Threshold: loadThreshold, Window: time.Minute},
		{
			Name: "distinct", Match: all, Threshold: loadThreshold, Window: time.Minute,
			Distinct: func(e *monitor.Event) string { return e.TargetResourceID },
		},
		{Name: "sequence", Window: time.Minute, Sequence: []detect.Step{{Match: all, Count: loadThreshold - 1}, {Match: all}}},
	}
}

func startLoad(tb testing.TB, policy rediswindow.Policy, twice bool, connect func() redis.UniversalClient) *load {
	tb.Helper()
	l := &load{tb: tb, prefix: testservice.Prefix(tb), twice: twice, qualified: map[string]bool{}, done: make(chan struct{})}
	for range 3 {
		windows := newWindows(tb, connect(), rediswindow.Options{Prefix: l.prefix, OnUnavailable: policy, RetryAfter: time.Millisecond})
		engine, err := detect.New(&detect.Options{Windows: windows, Rules: loadRules(), MaxEventsPerKey: -1})
		require.NoError(tb, err)
		l.instances = append(l.instances, &instance{Engine: engine, windows: windows})
	}
	for n := range l.instances {
		for range 2 {
			l.working.Go(func() { l.work(n) })
		}
	}
	l.progress()
	return l
}

// work delivers events until the load ends.
func (l *load) work(n int) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
		}
		number := int(l.begun.Add(1)) - 1
		l.deliver(n, number, tick)
		if l.twice {
			l.deliver((n+1)%len(l.instances), number, tick)
		}
		l.delivered.Add(1)
	}
}

func (l *load) deliver(n, number int, tick *time.Ticker) {
	for !l.detect(l.instances[n], number) {
		l.failed.Add(1)
		<-tick.C
	}
}

// detect delivers an event and reports whether that succeeded.
func (l *load) detect(i *instance, number int) bool {
	e := event(0)
	e.ID, e.TargetResourceID = fmt.Sprint(number), fmt.Sprint(number)
	e.Timestamp = e.Timestamp.Add(time.Duration(number))
	e.PrincipalID = fmt.Sprint(number % loadPrincipals)
	r := monitor.NewReporter(monitor.Arrival{
		OrganizationID: e.OrganizationID, Sequence: i.sequence.Add(1), Watermark: e.Timestamp, Lateness: time.Minute,
	})
	if i.Detect(context.Background(), e, r) != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range r.Findings() {
		l.qualified[f.Rule+" "+f.Event.ID] = true
	}
	return true
}

func (l *load) healthy() bool {
	return !slices.ContainsFunc(l.instances, func(i *instance) bool { return !i.healthy() })
}

func (i *instance) healthy() bool {
	return i.Health(context.Background())[0].Status == monitor.HealthOK
}

// disturbed waits until a fault shows.
func (l *load) disturbed() {
	l.tb.Helper()
	failed := l.failed.Load()
	waitFor(l.tb, func() bool { return l.failed.Load() > failed+3 || !l.healthy() })
}

// progress waits until all is well and some events were delivered.
func (l *load) progress() {
	l.tb.Helper()
	waitFor(l.tb, l.healthy)
	delivered := l.delivered.Load()
	waitFor(l.tb, func() bool { return l.delivered.Load() > delivered+50 })
}

// finish ends the load and checks what was found, and what the servers hold:
// each event once for each rule.
func (l *load) finish(addrs ...string) {
	l.tb.Helper()
	close(l.done)
	l.working.Wait()
	events := int(l.begun.Load())
	for n, i := range l.instances {
		waitFor(l.tb, func() bool { return l.detect(i, n) && i.healthy() }) // brings what is left
	}
	want := map[string]bool{}
	for _, rule := range loadRules() {
		for n := (loadThreshold - 1) * loadPrincipals; n < events; n++ {
			want[fmt.Sprint(rule.Name, " ", n)] = true
		}
	}
	assert.Equal(l.tb, want, l.qualified)
	keys, members := 0, 0
	for _, addr := range addrs {
		client := testservice.RedisClient(l.tb, addr)
		for _, key := range client.Keys(l.tb.Context(), l.prefix+"*").Val() {
			keys++
			members += int(client.ZCard(l.tb.Context(), key).Val())
		}
	}
	rules := len(loadRules())
	assert.Equal(l.tb, rules*loadPrincipals, keys)
	assert.Equal(l.tb, rules*events, members)
}

// key returns the key of a window.
func (l *load) key(addrs ...string) string {
	l.tb.Helper()
	for _, addr := range addrs {
		if keys := testservice.RedisClient(l.tb, addr).Keys(l.tb.Context(), l.prefix+"*").Val(); len(keys) > 0 {
			return keys[0]
		}
	}
	l.tb.Fatal("there is no key")
	return ""
}

// TestFaults does to a server under load what servers suffer.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		name  string
		twice bool
		begin func(s *testservice.RedisServer, p *testservice.Proxy)
		end   func(s *testservice.RedisServer, p *testservice.Proxy)
	}{
		{
			name:  "killed",
			begin: func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Kill() },
			end:   func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Restart() },
		},
		{
			name: "killed_twice_delivered", twice: true,
			begin: func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Kill() },
			end:   func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Restart() },
		},
		{
			name:  "paused",
			begin: func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Pause() },
			end:   func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Resume() },
		},
		{
			name:  "out_of_memory",
			begin: func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Do("CONFIG SET maxmemory 1") },
			end:   func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Do("CONFIG SET maxmemory 0") },
		},
		{
			name:  "read_only",
			begin: func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Do("REPLICAOF 127.0.0.1 1") },
			end:   func(s *testservice.RedisServer, _ *testservice.Proxy) { s.Do("REPLICAOF NO ONE") },
		},
		{
			name:  "replies_lost",
			begin: func(_ *testservice.RedisServer, p *testservice.Proxy) { p.Cut(true) },
			end:   func(_ *testservice.RedisServer, p *testservice.Proxy) { p.Cut(false) },
		},
	} {
		for _, policy := range []rediswindow.Policy{rediswindow.Fail, rediswindow.Local} {
			t.Run(fault.name+"/"+policy.String(), func(t *testing.T) {
				t.Parallel()
				server := testservice.Redis(t)
				proxy := testservice.NewProxy(t, server.Addr)
				l := startLoad(t, policy, fault.twice, func() redis.UniversalClient { return testservice.RedisClient(t, proxy.Addr) })
				for range 2 {
					fault.begin(server, proxy)
					l.disturbed()
					fault.end(server, proxy)
					l.progress()
				}
				l.finish(server.Addr)
			})
		}
	}
}

// TestHarmless does what instances under load do not even notice.
func TestHarmless(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		twice bool
		do    string
	}{
		{name: "delivered_twice", twice: true, do: "PING"},
		{name: "scripts_flushed", do: "SCRIPT FLUSH"},
		{name: "connections_killed", do: "CLIENT KILL TYPE normal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := testservice.Redis(t)
			l := startLoad(t, rediswindow.Fail, c.twice, func() redis.UniversalClient {
				return testservice.RedisClientWith(t, &redis.UniversalOptions{Addrs: []string{server.Addr}}) // it retries
			})
			for range 5 {
				server.Do(c.do)
				l.progress()
			}
			l.finish(server.Addr)
			assert.Zero(t, l.failed.Load(), "deliveries that failed")
		})
	}
}

// TestClusterNodeIsLost kills the node that has a window, and starts it again.
func TestClusterNodeIsLost(t *testing.T) {
	t.Parallel()
	cluster := testservice.Cluster(t)
	for _, policy := range []rediswindow.Policy{rediswindow.Fail, rediswindow.Local} {
		t.Run(policy.String(), func(t *testing.T) {
			l := startLoad(t, policy, false, func() redis.UniversalClient {
				return testservice.RedisClientWith(t, &redis.UniversalOptions{Addrs: cluster.Addrs()})
			})
			for _, node := range cluster.Nodes {
				if keys := testservice.RedisClient(t, node.Addr).Keys(t.Context(), l.prefix+"*").Val(); len(keys) > 0 {
					node.Kill()
					l.disturbed()
					node.Restart()
					l.progress()
					break
				}
			}
			l.finish(cluster.Addrs()...)
		})
	}
}

// TestSlotIsMoved moves windows from node to node, which instances do not
// notice.
func TestSlotIsMoved(t *testing.T) {
	t.Parallel()
	cluster := testservice.Cluster(t)
	l := startLoad(t, rediswindow.Fail, false, func() redis.UniversalClient {
		return testservice.RedisClientWith(t, &redis.UniversalOptions{Addrs: cluster.Addrs()})
	})
	key := l.key(cluster.Addrs()...)
	for range 4 {
		cluster.MoveSlot(key, l.progress)
		l.progress()
	}
	l.finish(cluster.Addrs()...)
	assert.Zero(t, l.failed.Load(), "deliveries that failed")
	var told strings.Builder
	for _, addr := range cluster.Addrs() {
		told.WriteString(testservice.RedisClient(t, addr).Info(t.Context(), "errorstats").Val())
	}
	for _, redirection := range []string{"errorstat_ASK", "errorstat_MOVED"} {
		assert.Contains(t, told.String(), redirection)
	}
}
