package monitor_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"math/bits"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// The benchmarks behind docs/performance.md. Unless it says otherwise, a monitor
// has the five rules, metrics and alerts in memory; an event matches one rule
// with a window and nothing fires. What is measured is the processing of events,
// not their making.

// BenchmarkProcess is one event after the other, in one goroutine and in two that
// each have principals of their own.
func BenchmarkProcess(b *testing.B) {
	for _, c := range []struct {
		name string
		load load
	}{
		{"unverified", load{}},
		{"ids", load{ids: true}},
		{"hmac", load{signed: true}},
		{"hmac+ids", load{signed: true, ids: true}},
		{"organizations=1k", load{organizations: 1000}},
		{"principals=1", hot()},
	} {
		for _, goroutines := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/goroutines=%d", c.name, goroutines), func(b *testing.B) {
				l := c.load
				l.goroutines = goroutines
				l.run(b)
			})
		}
	}
}

// hot is a load in which everybody is the same principal, whose window has about
// a thousand events.
func hot() load {
	return load{principals: 1, interval: 10 * time.Microsecond, configure: func(c *monitor.Config, o *detect.Options) {
		c.Lateness = 10 * time.Millisecond
		o.MaxEventsPerKey = -1
		velocityOf(o, func(r *detect.Rule) { r.Threshold, r.Window = 1<<30, 10*time.Millisecond })
	}}
}

// BenchmarkBare is what the verification of an event cannot do without: its
// canonical form, the hash of that in hex, and the HMAC of the hash in hex.
func BenchmarkBare(b *testing.B) {
	for _, goroutines := range []int{1, 2} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			l := load{goroutines: goroutines, signed: true, warmUp: 1}
			l.runEach(b, bare)
		})
	}
}

// bareChecks are those of the goroutines.
var bareChecks = sync.Pool{New: func() any { return &bareCheck{mac: hmac.New(sha256.New, benchSecret)} }}

type bareCheck struct {
	mac               hash.Hash
	canonical         [512]byte
	sum               [sha256.Size]byte
	digest, signature [2 * sha256.Size]byte
}

func bare(tb testing.TB, e *monitor.Event) {
	c := bareChecks.Get().(*bareCheck) //nolint:forcetypeassert // the pool's only type
	text, err := crypto.AppendCanonical(c.canonical[:0], e)
	sum := sha256.Sum256(text)
	hex.Encode(c.digest[:], sum[:])
	c.mac.Reset()
	c.mac.Write(c.digest[:])
	hex.Encode(c.signature[:], c.mac.Sum(c.sum[:0]))
	if err != nil || string(c.signature[:]) != e.Signature {
		tb.Error("the signature differs", err)
	}
	bareChecks.Put(c)
}

// BenchmarkPlain is the usual part of Process/unverified in a loop without
// structure, in which goroutines share nothing: two readings of the clock, the
// validation, a watermark, the words that five rules look for, a window of
// timestamps a principal, and two measurements. Nothing in it is ready for
// anything unusual.
func BenchmarkPlain(b *testing.B) {
	for _, goroutines := range []int{1, 2} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			loops := [2]*plainLoop{newPlainLoop(), newPlainLoop()}
			l := load{goroutines: goroutines, warmUp: 1}
			l.runEach(b, func(tb testing.TB, e *monitor.Event) {
				loops[e.PrincipalID[len("user-")]-'0'].process(tb, e)
			})
		})
	}
}

type plainLoop struct {
	_          [64]byte // nothing of another goroutine's is near
	watermarks map[string]int64
	windows    map[string]*plainWindow
	events     int64
	times      [64]int64 // by binary logarithm
	_          [64]byte
}

// A plainWindow is a ring of timestamps.
type plainWindow struct {
	stamps        [128]int64
	first, behind int
}

func newPlainLoop() *plainLoop {
	return &plainLoop{watermarks: map[string]int64{}, windows: map[string]*plainWindow{}}
}

var plainWords = [...]string{"login", "auth", "unauthorized", "forbidden", "data.", "document", "bulk", "export"}

func (p *plainLoop) process(tb testing.TB, e *monitor.Event) {
	start := time.Now()
	if err := e.Validate(); err != nil {
		tb.Error(err)
	}
	at := e.Timestamp.UnixNano()
	if at > p.watermarks[e.OrganizationID] {
		p.watermarks[e.OrganizationID] = at
	}
	matched := false
	for _, word := range plainWords {
		matched = matched || strings.Contains(e.Action, word) || strings.Contains(e.OutcomeDescription, word)
	}
	w := p.windows[e.PrincipalID]
	if w == nil {
		w = &plainWindow{}
		p.windows[e.PrincipalID] = w
	}
	w.stamps[w.behind%len(w.stamps)] = at
	w.behind++
	for w.stamps[w.first%len(w.stamps)] < at-int64(2*time.Minute) {
		w.first++
	}
	if w.behind-w.first > len(w.stamps) || !matched {
		tb.Error("a finding")
	}
	p.events++
	p.times[bits.Len64(uint64(time.Since(start)))]++
}

// BenchmarkWatermarkLookup is how the watermark of an organization is found, in
// the map that is never changed, and in a [sync.Map].
func BenchmarkWatermarkLookup(b *testing.B) {
	var shared sync.Map
	known := map[string]*int64{}
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("org-%d", i)
		known[names[i]] = new(int64)
		shared.Store(names[i], known[names[i]])
	}
	b.Run("map", func(b *testing.B) {
		var current atomic.Pointer[map[string]*int64]
		current.Store(&known)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if (*current.Load())[names[i%len(names)]] == nil {
				b.Fatal("unknown")
			}
		}
	})
	b.Run("syncMap", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, ok := shared.Load(names[i%len(names)]); !ok {
				b.Fatal("unknown")
			}
		}
	})
}

// BenchmarkRepeat is an event that joins an open alert, beside one by day that
// does not. The result may be kept: its findings are cut from memory that is
// allocated for many events at once.
func BenchmarkRepeat(b *testing.B) {
	for _, c := range []struct {
		name     string
		hour     int
		findings int
	}{{"none", 12, 0}, {"joins", 0, 1}} {
		b.Run(c.name, func(b *testing.B) {
			l := load{action: "data.read", findings: c.findings, start: time.Date(2026, 5, 4, c.hour, 0, 0, 0, time.UTC)}
			l.run(b)
		})
	}
}

// BenchmarkGroups is a thousand principals and a million, with five events each
// in the window.
func BenchmarkGroups(b *testing.B) {
	for _, principals := range []int{1_000, 1_000_000} {
		b.Run(size(principals), func(b *testing.B) {
			l := load{principals: principals, interval: 13 * time.Second, warmUp: 6 * principals, configure: inOrder}
			l.run(b)
			b.StopTimer()
			with, streams := heap(), l.streams
			l = load{}
			b.ReportMetric(float64(with-heap())/float64(principals), "B/group")
			runtime.KeepAlive(streams) // the events are not the monitor's
		})
	}
}

// BenchmarkWindow is a window with a thousand events and one with ten million.
func BenchmarkWindow(b *testing.B) {
	for _, events := range []int{1_000, 10_000_000} {
		b.Run(size(events), func(b *testing.B) {
			l := load{principals: 1, interval: time.Millisecond, warmUp: events + events/2, configure: func(c *monitor.Config, o *detect.Options) {
				inOrder(c, o)
				o.MaxEventsPerKey = -1
				velocityOf(o, func(r *detect.Rule) {
					r.Threshold, r.Window = 2*events, time.Duration(events)*time.Millisecond
				})
			}}
			l.run(b)
		})
	}
}

// inOrder allows no late events, so that a window holds what is in it and no more.
func inOrder(c *monitor.Config, _ *detect.Options) { c.Lateness = -1 }

func velocityOf(o *detect.Options, change func(*detect.Rule)) {
	o.Rules = detect.Defaults()
	for i := range o.Rules {
		if o.Rules[i].Name == detect.DataVelocity {
			change(&o.Rules[i])
		}
	}
}

// BenchmarkFromJSON is an event from its line of JSON, verified.
func BenchmarkFromJSON(b *testing.B) {
	l := load{signed: true}
	l.init(b)
	lines := make([][]byte, len(l.streams[0].events))
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= len(lines) {
		b.StopTimer()
		l.fill(b)
		for i := range lines {
			line, err := l.streams[0].events[i].AppendJSON(lines[i][:0])
			if err != nil {
				b.Fatal(err)
			}
			lines[i] = line
		}
		b.StartTimer()
		for _, line := range lines[:min(left, len(lines))] {
			var e monitor.Event
			if err := monitor.DecodeEvent(line, &e); err != nil {
				b.Fatal(err)
			}
			l.one(b, &e)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkProcessBatch is an event in a batch of 64.
func BenchmarkProcessBatch(b *testing.B) {
	l := load{}
	l.init(b)
	batch := make([]monitor.Delivery, 64)
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		b.StopTimer()
		l.fill(b)
		b.StartTimer()
		events := l.streams[0].events[:]
		for len(events) > 0 && left > 0 {
			n := min(len(batch), left)
			for i := range batch[:n] {
				batch[i].Event = &events[i]
			}
			if _, err := l.m.ProcessBatch(context.Background(), batch[:n]); err != nil {
				b.Fatal(err)
			}
			events, left = events[len(batch):], left-n
		}
	}
}

// BenchmarkNewGroup is the event of a principal never seen before, at the cap.
func BenchmarkNewGroup(b *testing.B) {
	l := load{principals: 1 << 20, interval: 1 << 20 * time.Millisecond, configure: func(_ *monitor.Config, o *detect.Options) {
		o.MaxKeys = 100_000
	}}
	l.run(b)
}

// heap is what is in use. What a pool was part of lives for two collections more.
func heap() uint64 {
	for range 3 {
		runtime.GC()
	}
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

// BenchmarkSubmit is an event that is put into the queue, and one that leaves it:
// taken by a worker, or dropped without one.
func BenchmarkSubmit(b *testing.B) {
	for _, organizations := range []int{1, 1000} {
		for _, worker := range []bool{false, true} {
			b.Run(fmt.Sprintf("organizations=%d/worker=%t", organizations, worker), func(b *testing.B) {
				m := newMonitor(b, func(c *monitor.Config) {
					if !worker {
						c.QueuePolicy = monitor.QueueDropOldest
					}
				})
				events := make([]*monitor.Event, 1000)
				for i := range events {
					events[i] = newEvent("", time.Duration(i))
					events[i].OrganizationID = fmt.Sprint("org-", i%organizations)
				}
				for range 10 {
					_, err := m.ProcessBatch(b.Context(), deliveries(events...))
					check.NoError(b, "process", err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				done := make(chan error, 1)
				if worker {
					go func() { done <- m.Run(ctx) }()
				}
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					if err := m.Submit(ctx, events[i%len(events)]); err != nil {
						b.Fatal(err)
					}
				}
				cancel()
				if worker {
					check.NoError(b, "run", <-done) // everything is handled
				}
			})
		}
	}
}
