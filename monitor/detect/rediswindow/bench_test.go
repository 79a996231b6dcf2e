package rediswindow_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// An attack is a stream of events, one a millisecond, of principals in turn.
type attack struct {
	principals, n int
	es            []*monitor.Event
	arrivals      []monitor.Arrival
}

// next makes the next events.
func (a *attack) next(batch int) {
	a.es, a.arrivals = a.es[:0], a.arrivals[:0]
	for range batch {
		a.n++
		e := event(0)
		e.ID = fmt.Sprintf("0192f0c1-5bd4-7c3a-9f00-%012d", a.n)
		e.Timestamp = e.Timestamp.Add(time.Duration(a.n) * time.Millisecond)
		e.PrincipalID = "principal-" + strconv.Itoa(a.n%a.principals)
		a.es = append(a.es, e)
		a.arrivals = append(a.arrivals, monitor.Arrival{
			OrganizationID: e.OrganizationID, Sequence: uint64(a.n), Watermark: e.Timestamp, Lateness: time.Minute,
		})
	}
}

// BenchmarkDetect measures events that one rule counts, in calls of one or 256,
// of many principals or one under attack.
func BenchmarkDetect(b *testing.B) {
	for _, c := range []struct{ batch, principals int }{{1, 100_000}, {1, 1}, {256, 100_000}, {256, 64}, {256, 1}} {
		b.Run(fmt.Sprintf("batch_%d/principals_%d", c.batch, c.principals), func(b *testing.B) {
			i := newInstance(b, testservice.SharedRedisClient(b), rediswindow.Options{})
			a := &attack{principals: c.principals}
			b.ReportAllocs()
			for b.Loop() {
				a.next(c.batch)
				if err := i.DetectBatch(b.Context(), a.es, reporters(a.arrivals)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(a.n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// usualScript is a sliding window as one finds it in many places: it counts, by
// inexact times, and tells nothing else.
const usualScript = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
local n = redis.call('ZCARD', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return n`

// BenchmarkBesideRedisBenchmark compares an instance that hands over its events
// in batches of 256 with redis-benchmark, which calls a script for each event,
// 256 at a time, over one connection too: the script of this package, with
// arguments of the same size, and the usual one. It needs nothing ready and does
// nothing with the replies. All use one server, which writes no file.
func BenchmarkBesideRedisBenchmark(b *testing.B) {
	const batch = 256
	for principals, group := range map[int]string{100_000: "__rand_int__", 1: "000000000000"} {
		b.Run(fmt.Sprintf("principals_%d", principals), func(b *testing.B) {
			server := testservice.Redis(b, "--appendonly", "no")
			client := testservice.RedisClient(b, server.Addr)
			usual, err := client.ScriptLoad(b.Context(), usualScript).Result()
			require.NoError(b, err)
			i := newInstance(b, client, rediswindow.Options{})
			a := &attack{principals: principals}
			events := 0
			rate := func() float64 {
				var took time.Duration
				for events = 0; events < 400*batch; events += batch {
					a.next(batch)
					begin := time.Now()
					if err := i.DetectBatch(b.Context(), a.es, reporters(a.arrivals)); err != nil {
						b.Fatal(err)
					}
					took += time.Since(begin)
				}
				return float64(events) / took.Seconds()
			}
			rival := func(hash, key string, args ...string) float64 {
				return testservice.RedisBenchmark(b, server, append([]string{
					"-c", "1", "-P", strconv.Itoa(batch), "-n", strconv.Itoa(400 * batch), "-r", "100000",
					"evalsha", hash, "1", key,
				}, args...)...)
			}
			var ours, own, others float64
			n := 0.0
			for b.Loop() {
				ours += rate()
				own += rival(rediswindow.ScriptHash(), "own:{01234567890123456789"+group+"}",
					"1024", "eEEEEEEEF", "10", "eAAAAAAAA", "eAAAAAAAA", "3780000", "1",
					"eEEEEEEEE1234__rand_int__", "MMMMMMMM0192f0c1-5bd4-7c3a-9f00-__rand_int__", "eEEEEEEE@", "eEEEEEEEF")
				others += rival(usual, "usual:{01234567890123456789"+group+"}",
					"1772452680000", "1772452800000", "0192f0c1-5bd4-7c3a-9f00-__rand_int__", "3780000")
				n++
			}
			b.ReportMetric(ours/n, "events/s")
			b.ReportMetric(own/n, "own-evalsha/s")
			b.ReportMetric(ours/own, "ratio")
			b.ReportMetric(others/n, "usual-evalsha/s")
		})
	}
}
