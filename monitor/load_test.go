package monitor_test

import (
	"context"
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

var benchSecret = []byte("0123456789abcdef0123456789abcdef")

// A load is what a benchmark has a monitor process: one stream of events for each
// goroutine. The zero value of a field is the default.
type load struct {
	goroutines    int           // defaults to 1
	organizations int           // defaults to 1
	principals    int           // of each goroutine; defaults to 1,000
	interval      time.Duration // until a principal comes back; defaults to 1.3 s
	action        string        // defaults to "document.view"
	start         time.Time     // defaults to noon
	findings      int           // on each event
	ids           bool          // events have an ID
	signed        bool          // they are signed with HMAC, and verified
	warmUp        int           // events of each goroutine before the clock starts; defaults to 100,000
	configure     func(*monitor.Config, *detect.Options)

	m       *monitor.Monitor
	streams []*stream
	crew    *crew
}

// A crew is the goroutines of a load, which do the same in step.
type crew struct {
	f           func(s *stream) // what they do; nil ends them
	phase, done atomic.Int64
}

// A stream makes events, a few at a time, so that they are in the cache as events
// are that were just received. Principals take turns.
type stream struct {
	names         []string
	organizations []string
	prefix        string // of IDs, none without
	signer        *crypto.Signer
	step          time.Duration
	n             int
	event         monitor.Event
	events        [512]monitor.Event
}

func (l *load) init(tb testing.TB) {
	tb.Helper()
	setDefault(&l.goroutines, 1)
	setDefault(&l.organizations, 1)
	setDefault(&l.principals, 1000)
	setDefault(&l.interval, 1300*time.Millisecond)
	setDefault(&l.action, "document.view")
	setDefault(&l.start, noon)
	setDefault(&l.warmUp, 100_000)

	rules := &detect.Options{MaxKeys: 8 * max(l.principals*l.goroutines*l.organizations, 1000)}
	c := monitor.Config{AllowUnverified: true, MaxSkew: -1, Alerts: memalerts.New(nil), Metrics: memmetrics.New()}
	if l.signed {
		c.AllowUnverified, c.Verifier = false, checker(tb)
	}
	if l.configure != nil {
		l.configure(&c, rules)
	}
	engine, err := detect.New(rules)
	if err != nil {
		tb.Fatal(err)
	}
	c.Detectors = []monitor.Detector{engine}
	if l.m, err = monitor.New(c); err != nil {
		tb.Fatal(err)
	}
	crew := &crew{}
	l.crew = crew
	for i := range l.goroutines {
		s := l.newStream(tb, i)
		l.streams = append(l.streams, s)
		if i > 0 {
			go l.crew.serve(s)
		}
	}
	tb.Cleanup(func() { crew.start(nil) })
	for done := 0; done < l.warmUp; {
		l.fill(tb)
		done += len(l.streams[0].events)
		l.process(tb, len(l.streams[0].events), l.one)
	}
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func (l *load) newStream(tb testing.TB, number int) *stream {
	tb.Helper()
	s := &stream{step: l.interval / time.Duration(l.principals)}
	for i := range l.principals {
		s.names = append(s.names, fmt.Sprintf("user-%d-%08d", number, i))
	}
	for i := range l.organizations {
		s.organizations = append(s.organizations, fmt.Sprintf("org-%d", i))
	}
	if l.ids {
		s.prefix = fmt.Sprintf("0192d3c8-7e2a-7c3d-%04x-", number)
	}
	if l.signed {
		signer, err := crypto.NewSigner(hmacKey(tb))
		if err != nil {
			tb.Fatal(err)
		}
		s.signer = signer
	}
	s.event = monitor.Event{
		Timestamp: l.start, Action: l.action, Status: monitor.StatusSuccess,
		TargetResourceType: "Document", TargetResourceID: "doc-4711", OutcomeDescription: "viewed",
		Session: monitor.Session{ID: "s-1", IPAddress: "192.0.2.7"},
	}
	return s
}

// next makes the next event.
func (s *stream) next(tb testing.TB, e *monitor.Event) {
	s.event.PrincipalID = s.names[s.n%len(s.names)]
	s.event.OrganizationID = s.organizations[s.n%len(s.organizations)]
	s.event.Timestamp = s.event.Timestamp.Add(s.step)
	if s.prefix != "" {
		s.event.ID = fmt.Sprintf("%s%012x", s.prefix, s.n)
	}
	s.n++
	*e = s.event
	if s.signer != nil {
		if err := s.signer.Sign(context.Background(), e); err != nil {
			tb.Fatal(err)
		}
	}
}

// fill makes the next events of all streams, each in the goroutine that is to
// process them.
func (l *load) fill(tb testing.TB) {
	l.each(func(s *stream) {
		for i := range s.events {
			s.next(tb, &s.events[i])
		}
	})
}

// process has as many events of each stream processed.
func (l *load) process(tb testing.TB, events int, one processing) {
	l.each(func(s *stream) {
		for i := range events {
			one(tb, &s.events[i])
		}
	})
}

// each calls f for each stream, the first in the caller's goroutine, each other in
// its own, and waits. Nobody sleeps meanwhile: to wake a goroutine up takes longer
// than what is measured.
func (l *load) each(f func(s *stream)) {
	l.crew.start(f)
	f(l.streams[0])
	for l.crew.done.Load() < int64(l.goroutines) {
		runtime.Gosched()
	}
}

func (c *crew) start(f func(s *stream)) {
	c.f = f
	c.done.Store(1)
	c.phase.Add(1)
}

func (c *crew) serve(s *stream) {
	for phase := int64(1); ; phase++ {
		for c.phase.Load() < phase {
			runtime.Gosched()
		}
		if c.f == nil {
			return
		}
		c.f(s)
		c.done.Add(1)
	}
}

// processing is what is done with an event.
type processing func(tb testing.TB, e *monitor.Event)

// one processes an event.
func (l *load) one(tb testing.TB, e *monitor.Event) {
	if r, err := l.m.Process(context.Background(), e); err != nil || r.Timing != monitor.TimingOnTime || len(r.Findings) != l.findings {
		tb.Error(r.Timing, r.Findings, err)
	}
}

// run benchmarks the processing of the events, without their making.
func (l *load) run(b *testing.B) {
	b.Helper()
	l.runEach(b, l.one)
}

func (l *load) runEach(b *testing.B, one processing) {
	b.Helper()
	if l.m == nil {
		l.init(b)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		b.StopTimer()
		l.fill(b)
		events := min(left, len(l.streams[0].events)*l.goroutines)
		b.StartTimer()
		l.process(b, (events+l.goroutines-1)/l.goroutines, one)
		left -= events
	}
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
