package memmetrics_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

func observe(tb testing.TB, c *memmetrics.Collector, durations ...time.Duration) {
	tb.Helper()
	for _, d := range durations {
		c.Record(tb.Context(), monitor.Measurement{Metric: monitor.ProcessingLatency, Value: int64(d)})
	}
}

func observed(tb testing.TB, c *memmetrics.Collector) monitor.Distribution {
	tb.Helper()
	s := check.Must(c.Snapshot(tb.Context()))(tb)
	return s.Metrics[monitor.ProcessingLatency].Distribution
}

// distributionOf returns what a histogram makes of the durations.
func distributionOf(tb testing.TB, durations ...time.Duration) monitor.Distribution {
	tb.Helper()
	c := memmetrics.New()
	observe(tb, c, durations...)
	return observed(tb, c)
}

func TestBucketsCoverEveryDurationOnce(t *testing.T) {
	t.Parallel()
	var sweep, edges []time.Duration
	for d := time.Duration(0); d >= 0; d += max(1, d/64) { // until it overflows
		sweep = append(sweep, d)
	}
	buckets := distributionOf(t, append(sweep, math.MaxInt64)...).Buckets
	next := time.Duration(0)
	for _, b := range buckets {
		if b.Lower != next || b.Upper <= b.Lower {
			t.Fatalf("a bucket is [%d, %d), want it to start at %d", b.Lower, b.Upper, next)
		}
		width := b.Upper - b.Lower
		if width > max(1, b.Lower/32) {
			t.Errorf("the bucket from %d is %d wide: more than 1/32", b.Lower, width)
		}
		edges = append(edges, b.Lower, b.Lower+width/2, b.Upper-1)
		next = b.Upper
	}
	check.Equal(t, "end of the last bucket", next, math.MaxInt64)

	got := distributionOf(t, edges...).Buckets
	check.Equal(t, "buckets of the edges", len(got), len(buckets))
	for i, b := range got {
		if b.Count != 3 || b.Lower != buckets[i].Lower {
			t.Errorf("bucket from %d counts %d of its edges", b.Lower, b.Count)
		}
	}
	got = distributionOf(t, math.MaxInt64).Buckets
	check.Equal(t, "upper bound of the longest duration", got[len(got)-1].Upper, math.MaxInt64)
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
		d := distributionOf(t, durations...)
		slices.Sort(durations)
		check.Equal(t, c.name+": count", d.Count(), n)
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
	type summary struct {
		Count                    int64
		Mean, P50, P95, P99, Max time.Duration
	}
	for _, c := range []struct {
		name      string
		durations []time.Duration
		want      summary
	}{
		{"empty", nil, summary{}},
		{"one", []time.Duration{7}, summary{1, 7, 7, 7, 7, 7}},
		{"negative is zero", []time.Duration{-7}, summary{Count: 1}},
		{"mean and max are exact", []time.Duration{1, 2, 1_000_003}, summary{3, 333_335, 2, 1_000_003, 1_000_003, 1_000_003}},
		{"the last is exact", []time.Duration{1_000_000, 1_015_000}, summary{2, 1_007_500, 1_003_520, 1_015_000, 1_015_000, 1_015_000}},
		{"ranks", upTo(50), summary{50, 25, 25, 48, 50, 50}},
	} {
		d := distributionOf(t, c.durations...)
		got := summary{d.Count(), d.Mean(), d.Quantile(0.50), d.Quantile(0.95), d.Quantile(0.99), d.Max}
		check.Equal(t, c.name, got, c.want)
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
	merged := distributionOf(t, all[:1000]...)
	merged.Merge(distributionOf(t, all[1000:]...))
	check.Equal(t, "merged", merged, distributionOf(t, all...))
}
