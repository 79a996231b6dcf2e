package metrics

import (
	"math"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Distribution is what histograms have counted. It is plain data: add two by
// [Distribution.Merge], or the counts of a bucket by hand, to combine those of
// several processes. It is not safe for concurrent use.
type Distribution struct {
	// Counts holds the number of observations in each bucket; see
	// [BucketBounds].
	Counts [BucketCount]int64
	// Sum of the observations. It wraps beyond 292 years.
	Sum time.Duration
	// Max is the largest observation.
	Max time.Duration
}

// Merge adds another distribution to d.
func (d *Distribution) Merge(other *Distribution) {
	for i, n := range &other.Counts {
		d.Counts[i] += n
	}
	d.Sum += other.Sum
	d.Max = max(d.Max, other.Max)
}

// Count returns the number of observations.
func (d *Distribution) Count() int64 {
	var count int64
	for _, n := range &d.Counts {
		count += n
	}
	return count
}

// Quantile returns an estimate of the smallest observation that at least the
// fraction q of all observations do not exceed, 0 without observations. The
// estimate is off by less than 1/32 (3.125 %) of the true value, and exact
// below 64 ns and for q = 1.
func (d *Distribution) Quantile(q float64) time.Duration {
	return d.quantile(q, d.Count())
}

func (d *Distribution) quantile(q float64, count int64) time.Duration {
	rank := min(max(1, int64(math.Ceil(q*float64(count)))), count)
	if rank == count {
		return d.Max
	}
	var below int64
	for i, n := range &d.Counts {
		if below+n >= rank {
			lo, hi := BucketBounds(i)
			// The n observations are taken to lie evenly in the bucket, each in
			// the middle of its share.
			place := (float64(rank-below) - 0.5) / float64(n)
			return min(lo+time.Duration(place*float64(hi-lo)), d.Max)
		}
		below += n
	}
	return d.Max
}

// Summary returns count, mean, quantiles and maximum. The mean and the maximum
// are exact.
func (d *Distribution) Summary() monitor.LatencySummary {
	count := d.Count()
	if count == 0 {
		return monitor.LatencySummary{}
	}
	return monitor.LatencySummary{
		Count: count,
		Mean:  d.Sum / time.Duration(count),
		P50:   d.quantile(0.50, count),
		P95:   d.quantile(0.95, count),
		P99:   d.quantile(0.99, count),
		Max:   d.Max,
	}
}
