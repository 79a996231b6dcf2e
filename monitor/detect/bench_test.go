package detect_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// A feed hands copies of one event to an engine, each a moment after the last.
type feed struct {
	engine *detect.Engine
	event  monitor.Event
	r      *monitor.Reporter
	step   time.Duration
	name   []byte
}

func newFeed(tb testing.TB, o *detect.Options, e *monitor.Event, step time.Duration) *feed {
	f := &feed{engine: newTrail(tb, o).engine, event: *e, step: step}
	f.r = monitor.NewReporter(monitor.Arrival{
		OrganizationID: e.OrganizationID, Watermark: e.Timestamp, Lateness: time.Minute,
	})
	return f
}

// next hands over the event of the next moment; behind makes it that late.
func (f *feed) next(behind time.Duration) {
	a := f.r.Arrival()
	a.Sequence++
	a.Watermark = a.Watermark.Add(f.step)
	f.event.Timestamp = a.Watermark.Add(-behind)
	if err := f.engine.Detect(context.Background(), &f.event, f.r); err != nil {
		panic(err)
	}
}

// principal names the event's principal, in memory that was just written, like
// that of an event just decoded.
func (f *feed) principal(i int) {
	f.name = strconv.AppendInt(append(f.name[:0], "user-"...), int64(i), 10)
	f.event.PrincipalID = unsafe.String(&f.name[0], len(f.name))
}

func BenchmarkEngine(b *testing.B) {
	// The rules of Defaults, an event that matches one of them, and
	// nothing fires.
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		f := newFeed(b, nil, loginFailure(0, "user-1"), 2*time.Minute)
		for b.Loop() {
			f.next(0)
		}
	})
	b.Run("firing", func(b *testing.B) {
		b.ReportAllocs()
		f := newFeed(b, nil, loginFailure(0, "user-1"), time.Second)
		for i := 0; b.Loop(); i++ {
			if i%1024 == 0 { // a monitor keeps no findings either
				f.r = monitor.NewReporter(*f.r.Arrival())
			}
			f.next(0)
		}
	})
	for name, keys := range map[string]int{"keys=1k": 1_000, "keys=1M": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			f := newFeed(b, &detect.Options{MaxKeys: -1}, loginFailure(0, ""), time.Nanosecond)
			for i := range keys {
				f.principal(i)
				f.next(0)
			}
			f.step = 10 * time.Minute / time.Duration(keys)
			i := 0
			for b.Loop() {
				// A stride through the keys that no cache can foresee.
				if i += 7919; i >= keys {
					i %= keys
				}
				f.principal(i)
				f.next(0)
			}
		})
	}
	for name, held := range map[string]int{"window=1k": 1_000, "window=10M": 10_000_000} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			f := newFeed(b, &detect.Options{MaxEventsPerKey: -1, Rules: []detect.Rule{{
				Name: "large", Match: any1, Threshold: 2 * held, Window: time.Hour,
			}}}, at(0, "x", "user-1"), time.Hour/time.Duration(held))
			for range held + held/32 {
				f.next(0)
			}
			for b.Loop() {
				f.next(0)
			}
		})
	}
	b.Run("late", func(b *testing.B) {
		b.ReportAllocs()
		f := newFeed(b, nil, loginFailure(0, "user-1"), 2*time.Minute)
		for i := 0; b.Loop(); i++ {
			f.next(time.Duration(i%2) * 150 * time.Second)
		}
	})
	patients := make([]string, 64)
	for i := range patients {
		patients[i] = "patient-" + strconv.Itoa(i)
	}
	for name, behind := range map[string]time.Duration{"distinct": 0, "distinct-late": 5 * time.Second} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			f := newFeed(b, &detect.Options{Rules: []detect.Rule{{
				Name: "patients", Match: any1, Distinct: target, Threshold: 100, Window: 10 * time.Minute,
			}}}, at(0, "data.read", "user-1"), time.Second)
			for i := 0; b.Loop(); i++ {
				f.event.TargetResourceID = patients[i%len(patients)]
				f.next(behind * time.Duration(i%2))
			}
		})
	}
	b.Run("sequence", func(b *testing.B) {
		b.ReportAllocs()
		f := newFeed(b, &detect.Options{Rules: []detect.Rule{{
			Name: "guessed", Window: 10 * time.Minute,
			Sequence: []detect.Step{{Match: action("fail"), Count: 5}, {Match: action("success")}},
		}}}, at(0, "fail", "user-1"), time.Second)
		for b.Loop() {
			f.next(0)
		}
	})
	for _, goroutines := range []int{1, 2} {
		b.Run(fmt.Sprintf("parallel=%d", goroutines), func(b *testing.B) {
			benchmarkParallel(b, goroutines)
		})
	}
}

// benchmarkParallel divides the events of many principals of one organization
// among goroutines, each of which has principals of its own. Watermarks move in
// steps, as a monitor's do.
func benchmarkParallel(b *testing.B, goroutines int) {
	b.ReportAllocs()
	if runtime.GOMAXPROCS(0) < goroutines {
		b.Fatal("too few processors")
	}
	engine := newTrail(b, nil).engine
	const keys, lateness = 1024, time.Minute
	var names [keys]string
	for i := range names {
		names[i] = "user-" + strconv.Itoa(i)
	}
	b.ResetTimer()
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			own := names[g*keys/goroutines : (g+1)*keys/goroutines]
			e := loginFailure(0, "")
			r := monitor.NewReporter(monitor.Arrival{OrganizationID: "org-1", Lateness: lateness})
			a := r.Arrival()
			for i := range b.N / goroutines {
				a.Sequence = uint64(i*goroutines + g + 1)
				e.Timestamp = noon.Add(time.Duration(a.Sequence) * 150 * time.Millisecond)
				a.Watermark = e.Timestamp.Truncate(lateness / 64)
				e.PrincipalID = own[i*31%len(own)]
				if err := engine.Detect(context.Background(), e, r); err != nil {
					panic(err)
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkNewKey counts events of groups that were never seen before, at the
// cap.
func BenchmarkNewKey(b *testing.B) {
	b.ReportAllocs()
	f := newFeed(b, nil, loginFailure(0, ""), time.Microsecond)
	for i := 0; b.Loop(); i++ {
		f.principal(i)
		f.next(0)
	}
}
