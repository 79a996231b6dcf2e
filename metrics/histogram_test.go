package metrics_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// distributionOf returns what a histogram makes of the durations.
func distributionOf(durations ...time.Duration) *metrics.Distribution {
	var h metrics.Histogram
	for _, d := range durations {
		h.Observe(d)
	}
	var d metrics.Distribution
	h.AddTo(&d)
	return &d
}

func TestBucketsCoverEveryDurationOnce(t *testing.T) {
	t.Parallel()
	next := time.Duration(0)
	for i := range metrics.BucketCount {
		lo, hi := metrics.BucketBounds(i)
		if lo != next || hi <= lo {
			t.Fatalf("bucket %d is [%d, %d), want it to start at %d", i, lo, hi, next)
		}
		if width := hi - lo; width > max(1, lo/32) {
			t.Errorf("bucket %d is %d wide from %d: more than 1/32", i, width, lo)
		}
		next = hi
		last := i == metrics.BucketCount-1
		for _, d := range []time.Duration{lo, lo + (hi-lo)/2, hi - 1} {
			if n := distributionOf(d).Counts[i]; n != 1 {
				t.Errorf("%d is not counted in bucket %d", d, i)
			}
		}
		if last && distributionOf(hi).Counts[i] != 1 {
			t.Errorf("the longest duration is not counted in the last bucket")
		}
	}
	if next != math.MaxInt64 {
		t.Errorf("the buckets end at %d", next)
	}
}

func TestQuantileError(t *testing.T) {
	t.Parallel()
	const n = 5000
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name string
		draw func() time.Duration
	}{
		{"uniform", func() time.Duration { return time.Duration(rng.Int64N(int64(time.Second))) }},
		{"nanoseconds", func() time.Duration { return time.Duration(rng.Int64N(200)) }},
		{"exponential", func() time.Duration { return time.Duration(rng.ExpFloat64() * float64(time.Millisecond)) }},
		{"every size", func() time.Duration { return time.Duration(rng.Int64() >> rng.IntN(63)) }},
		{"constant", func() time.Duration { return 1_000_003 }},
	} {
		durations := make([]time.Duration, n)
		for i := range durations {
			durations[i] = c.draw()
		}
		d := distributionOf(durations...)
		slices.Sort(durations)
		if got := d.Count(); got != n {
			t.Errorf("%s: count %d, want %d", c.name, got, n)
		}
		for _, q := range []float64{0, 0.001, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1} {
			want := durations[max(1, int(math.Ceil(q*n)))-1]
			got := d.Quantile(q)
			if off := (got - want).Abs(); off > want/32 {
				t.Errorf("%s: quantile %v = %d, want %d within 1/32", c.name, q, got, want)
			}
		}
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		durations []time.Duration
		want      monitor.LatencySummary
	}{
		{"empty", nil, monitor.LatencySummary{}},
		{"one", []time.Duration{7}, monitor.LatencySummary{Count: 1, Mean: 7, P50: 7, P95: 7, P99: 7, Max: 7}},
		{"negative is zero", []time.Duration{-7}, monitor.LatencySummary{Count: 1}},
		{"mean and max are exact", []time.Duration{1, 2, 1_000_003}, monitor.LatencySummary{
			Count: 3, Mean: 333_335, P50: 2, P95: 1_000_003, P99: 1_000_003, Max: 1_000_003,
		}},
		{"the last is exact", []time.Duration{1_000_000, 1_015_000}, monitor.LatencySummary{
			Count: 2, Mean: 1_007_500, P50: 1_003_520, P95: 1_015_000, P99: 1_015_000, Max: 1_015_000,
		}},
		{"ranks", upTo(50), monitor.LatencySummary{Count: 50, Mean: 25, P50: 25, P95: 48, P99: 50, Max: 50}},
	} {
		if got := distributionOf(c.durations...).Summary(); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// upTo returns 1, 2, ..., n nanoseconds.
func upTo(n int) []time.Duration {
	durations := make([]time.Duration, n)
	for i := range durations {
		durations[i] = time.Duration(i + 1)
	}
	return durations
}

func TestMergeIsObservingBoth(t *testing.T) {
	t.Parallel()
	all := upTo(3000)
	for i := range all {
		all[i] *= 1013
	}
	merged := distributionOf(all[:1000]...)
	merged.Merge(distributionOf(all[1000:]...))
	if *merged != *distributionOf(all...) {
		t.Errorf("merged: %+v, want %+v", merged.Summary(), distributionOf(all...).Summary())
	}
}

// TestMoveToLosesNothing moves out what is being observed, as a flush does.
func TestMoveToLosesNothing(t *testing.T) {
	t.Parallel()
	const (
		observers = 4
		each      = 5000
	)
	var h metrics.Histogram
	var observing sync.WaitGroup
	for range observers {
		observing.Go(func() {
			for i := range each {
				h.Observe(time.Duration(i))
			}
		})
	}
	done := make(chan struct{})
	go func() {
		observing.Wait()
		close(done)
	}()
	var moved metrics.Distribution
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		h.MoveTo(&moved)
	}
	var want metrics.Distribution
	for range observers {
		want.Merge(distributionOf(append(upTo(each-1), 0)...))
	}
	if moved != want {
		t.Errorf("moved %+v, want %+v", moved.Summary(), want.Summary())
	}
	var rest metrics.Distribution
	h.AddTo(&rest)
	if rest != (metrics.Distribution{}) {
		t.Errorf("left behind: %+v", rest.Summary())
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	var h metrics.Histogram
	d := time.Duration(0)
	if n := testing.AllocsPerRun(100, func() { h.Observe(d); d += 977 }); n != 0 {
		t.Errorf("Observe allocates %v times", n)
	}
}

func BenchmarkHistogram(b *testing.B) {
	b.Run("Observe", func(b *testing.B) {
		var h metrics.Histogram
		b.ReportAllocs()
		for b.Loop() {
			h.Observe(450)
		}
	})
	b.Run("Summary", func(b *testing.B) {
		d := distributionOf(upTo(1000)...)
		b.ReportAllocs()
		for b.Loop() {
			d.Summary()
		}
	})
}
