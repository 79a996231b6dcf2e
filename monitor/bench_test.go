package monitor_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// The benchmarks behind docs/performance.md. Unless it says otherwise, a
// monitor has the five rules, metrics and alerts in memory; an event matches one
// rule with a window and nothing fires.

var benchSecret = []byte("0123456789abcdef0123456789abcdef")

// bench is a monitor and the events that it is sent: principals take turns, and
// each comes back after the same interval.
type bench struct {
	m     *monitor.Monitor
	names []string
	step  time.Duration
	n     int
	event monitor.Event
}

func newBench(tb testing.TB, keys int, interval time.Duration, change func(*monitor.Config, *detect.Options)) *bench {
	tb.Helper()
	rules := &detect.Options{MaxKeys: 2 * max(keys, 1000)}
	c := monitor.Config{AllowUnverified: true, MaxSkew: -1, Alerts: memalerts.New(nil), Metrics: memmetrics.New()}
	if change != nil {
		change(&c, rules)
	}
	engine, err := detect.New(rules)
	if err != nil {
		tb.Fatal(err)
	}
	c.Detectors = []monitor.Detector{engine}
	m, err := monitor.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	b := &bench{m: m, step: interval / time.Duration(keys)}
	for i := range keys {
		b.names = append(b.names, fmt.Sprintf("user-%08d", i))
	}
	b.event = monitor.Event{
		Timestamp: noon, Action: "document.view", Status: monitor.StatusSuccess, OrganizationID: "org-1",
		TargetResourceType: "Document", TargetResourceID: "doc-4711", OutcomeDescription: "viewed",
		Session: monitor.Session{ID: "s-1", IPAddress: "192.0.2.7"},
	}
	return b
}

// next is the event whose turn it is.
func (b *bench) next() *monitor.Event {
	b.event.PrincipalID = b.names[b.n%len(b.names)]
	b.event.Timestamp = b.event.Timestamp.Add(b.step)
	b.n++
	return &b.event
}

func (b *bench) process(tb testing.TB, e *monitor.Event) {
	if r, err := b.m.Process(context.Background(), e); err != nil || r.Timing != monitor.TimingOnTime {
		tb.Fatal(r.Timing, err)
	}
}

// warm brings the windows to the state that they stay in.
func (b *bench) warm(tb testing.TB, events int) {
	tb.Helper()
	for range events {
		b.process(tb, b.next())
	}
}

// quiet fails the benchmark if a rule fired.
func (b *bench) quiet(tb testing.TB) {
	tb.Helper()
	r, err := b.m.Process(context.Background(), b.next())
	if err != nil || len(r.Findings) > 0 {
		tb.Fatalf("findings %v, error %v", r.Findings, err)
	}
}

func (b *bench) run(tb *testing.B) {
	tb.Helper()
	tb.ReportAllocs()
	for tb.Loop() {
		b.process(tb, b.next())
	}
	b.quiet(tb)
}

func velocityOf(o *detect.Options, change func(*detect.Rule)) {
	o.Rules = detect.Defaults()
	for i := range o.Rules {
		if o.Rules[i].Name == detect.DataVelocity {
			change(&o.Rules[i])
		}
	}
}

func BenchmarkProcess(b *testing.B) {
	b.Run("unverified", func(b *testing.B) {
		s := newBench(b, 1000, 1300*time.Millisecond, nil)
		s.warm(b, 100_000)
		s.run(b)
	})
	b.Run("withID", func(b *testing.B) {
		s := newBench(b, 1000, 1300*time.Millisecond, nil)
		ids := make([]string, 1<<18)
		for i := range ids {
			ids[i] = fmt.Sprintf("0192d3c8-7e2a-7c3d-9a40-%012x", i)
		}
		next := func() *monitor.Event {
			e := s.next()
			e.ID = ids[s.n%len(ids)]
			return e
		}
		for range ids {
			s.process(b, next())
		}
		b.ReportAllocs()
		for b.Loop() {
			s.process(b, next())
		}
	})
	b.Run("bare", benchmarkBare)
	b.Run("hmac", benchmarkHMAC)
	b.Run("quietNight", func(b *testing.B) { // what repeat is to be compared with
		s := nightBench(b, 12)
		s.run(b)
	})
	b.Run("repeat", func(b *testing.B) {
		s := nightBench(b, 0)
		b.ReportAllocs()
		for b.Loop() {
			r, err := s.m.Process(context.Background(), s.next())
			if err != nil || len(r.Findings) != 1 || r.Dispositions[0].Stored != monitor.StoredRepeat {
				b.Fatal(r, err)
			}
		}
	})
	for _, keys := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint("keys=", size(keys)), func(b *testing.B) {
			// Five events of each principal are held.
			s := newBench(b, keys, 13*time.Second, func(c *monitor.Config, o *detect.Options) {
				c.Lateness = -1
				o.MaxKeys = 2 * keys
			})
			before := heap()
			s.warm(b, 6*keys)
			perKey := float64(heap()-before) / float64(keys)
			s.run(b)
			b.ReportMetric(perKey, "B/key")
		})
	}
	for _, events := range []int{1_000, 10_000_000} {
		b.Run(fmt.Sprint("window=", size(events)), func(b *testing.B) {
			s := newBench(b, 1, time.Millisecond, func(c *monitor.Config, o *detect.Options) {
				c.Lateness = -1
				o.MaxEventsPerKey = -1
				velocityOf(o, func(r *detect.Rule) {
					r.Threshold, r.Window = 2*events, time.Duration(events)*time.Millisecond
				})
			})
			s.warm(b, events+events/2)
			s.run(b)
		})
	}
	b.Run("parallel", func(b *testing.B) { // run with -cpu 1,2
		// One organization; every goroutine has principals of its own.
		s := newBench(b, 1000, 13*time.Second, func(c *monitor.Config, _ *detect.Options) {
			c.Lateness = time.Hour
		})
		var goroutines atomic.Int64
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			own := *s
			own.names = nil
			id := goroutines.Add(1)
			for i := range s.names {
				own.names = append(own.names, fmt.Sprintf("user-%d-%08d", id, i))
			}
			for pb.Next() {
				own.process(b, own.next())
			}
		})
	})
	b.Run("fromJSON", func(b *testing.B) {
		s := newBench(b, 1000, 1300*time.Millisecond, func(c *monitor.Config, _ *detect.Options) {
			c.AllowUnverified, c.Verifier = false, checker(b)
		})
		signed := newSigned(b, s)
		var lines [][]byte
		signed.refill = func() {
			lines = lines[:0]
			for i := range signed.events {
				line, err := signed.events[i].AppendJSON(nil)
				if err != nil {
					b.Fatal(err)
				}
				lines = append(lines, line)
			}
		}
		signed.sign(b)
		for b.Loop() {
			signed.next(b)
			var e monitor.Event
			if err := monitor.DecodeEvent(lines[signed.at-1], &e); err != nil {
				b.Fatal(err)
			}
			s.process(b, &e)
		}
		b.ReportMetric(float64(time.Second)/float64(signed.report(b)), "events/s")
	})
}

func BenchmarkProcessBatch(b *testing.B) {
	const batch = 64
	s := newBench(b, 1000, 1300*time.Millisecond, nil)
	s.warm(b, 100_000)
	events := make([]monitor.Delivery, batch)
	for i := range events {
		events[i].Event = new(monitor.Event)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, d := range events {
			*d.Event = *s.next()
		}
		if _, err := s.m.ProcessBatch(context.Background(), events); err != nil {
			b.Fatal(err)
		}
		n += batch
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}

// BenchmarkNewKey is the cost of a principal never seen before.
func BenchmarkNewKey(b *testing.B) {
	s := newBench(b, 1, time.Millisecond, func(_ *monitor.Config, o *detect.Options) { o.MaxKeys = 100_000 })
	names := make([]string, 1<<20)
	for i := range names {
		names[i] = fmt.Sprintf("user-%08d", i)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		e := s.next()
		e.PrincipalID = names[i%len(names)]
		s.process(b, e)
		i++
	}
}

// nightBench sends data reads at that hour, all from one principal, seldom
// enough for the other rules.
func nightBench(b *testing.B, hour int) *bench {
	b.Helper()
	s := newBench(b, 1000, 1300*time.Millisecond, nil)
	s.event.Action = "data.read"
	s.event.Timestamp = time.Date(2026, 5, 4, hour, 0, 0, 0, time.UTC)
	s.warm(b, 100_000)
	return s
}

func checker(tb testing.TB) *crypto.Checker {
	tb.Helper()
	ring, err := crypto.NewKeyring(hmacKey(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return crypto.NewChecker(ring, nil)
}

func hmacKey(tb testing.TB) *crypto.Key {
	tb.Helper()
	key, err := crypto.NewHMACKey("k1", benchSecret, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// signed makes signed events, a few at a time, so that they are in the cache as
// events are that were just read, and measures the time between. Stopping the
// benchmark's timer would stop the world, which costs more than the events do.
type signed struct {
	source  *bench
	signer  *crypto.Signer
	events  []monitor.Event
	at      int
	refill  func()
	since   time.Time
	elapsed time.Duration
	n       int // events whose time has elapsed
}

func newSigned(tb testing.TB, source *bench) *signed {
	tb.Helper()
	signer, err := crypto.NewSigner(hmacKey(tb))
	if err != nil {
		tb.Fatal(err)
	}
	s := &signed{source: source, signer: signer, events: make([]monitor.Event, 16)}
	s.sign(tb)
	return s
}

func (s *signed) sign(tb testing.TB) {
	for i := range s.events {
		s.events[i] = *s.source.next()
		if err := s.signer.Sign(context.Background(), &s.events[i]); err != nil {
			tb.Fatal(err)
		}
	}
	if s.refill != nil {
		s.refill()
	}
	s.at, s.since = 0, time.Now()
}

func (s *signed) next(tb testing.TB) *monitor.Event {
	if s.at == len(s.events) {
		s.elapsed += time.Since(s.since)
		s.n += len(s.events)
		s.sign(tb)
	}
	s.at++
	return &s.events[s.at-1]
}

// report puts the events' own time in place of the benchmark's.
func (s *signed) report(b *testing.B) time.Duration {
	b.Helper()
	each := (s.elapsed + time.Since(s.since)) / time.Duration(max(1, s.n+s.at))
	b.ReportMetric(float64(each.Nanoseconds()), "ns/op")
	return each
}

func benchmarkHMAC(b *testing.B) {
	s := newBench(b, 1000, 1300*time.Millisecond, func(c *monitor.Config, _ *detect.Options) {
		c.AllowUnverified, c.Verifier = false, checker(b)
	})
	signed := newSigned(b, s)
	for range 100_000 {
		s.process(b, signed.next(b))
	}
	signed.elapsed, signed.n = 0, 0
	for b.Loop() {
		s.process(b, signed.next(b))
	}
	signed.report(b)
}

// benchmarkBare is what a verification cannot do without: the canonical form,
// its hash in hex, the HMAC of that in hex.
func benchmarkBare(b *testing.B) {
	s := newBench(b, 1000, 1300*time.Millisecond, nil)
	mac := hmac.New(sha256.New, benchSecret)
	mac.Reset()
	mac.Sum(nil)
	var canonical [512]byte
	var hash, signature [64]byte
	var sum [32]byte
	b.ReportAllocs()
	for b.Loop() {
		text, err := crypto.AppendCanonical(canonical[:0], s.next())
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256(text)
		hex.Encode(hash[:], digest[:])
		mac.Reset()
		mac.Write(hash[:])
		hex.Encode(signature[:], mac.Sum(sum[:0]))
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func size(n int) string {
	if n >= 1_000_000 {
		return fmt.Sprint(n/1_000_000, "M")
	}
	return fmt.Sprint(n/1000, "k")
}
