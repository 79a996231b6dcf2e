package monitor

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A Distribution says how often durations of which size were observed. The zero
// value has no observations. It is plain data and not safe for concurrent use.
type Distribution struct {
	// Buckets are in ascending order and do not overlap. Empty buckets may be
	// missing.
	Buckets []DistributionBucket
	// Sum of the observations. It wraps beyond 292 years.
	Sum time.Duration
	// Max is the largest observation.
	Max time.Duration
}

// A DistributionBucket is the number of observations d with Lower <= d < Upper. If
// Upper is the longest duration, the bucket includes it.
type DistributionBucket struct {
	Lower, Upper time.Duration
	Count        int64
}

// Merge adds the observations of another distribution, whose buckets must have
// the same bounds as those of d or lie between them.
func (d *Distribution) Merge(other Distribution) {
	all := slices.Concat(d.Buckets, other.Buckets)
	slices.SortFunc(all, func(a, b DistributionBucket) int { return cmp.Compare(a.Lower, b.Lower) })
	d.Buckets = all[:0]
	for _, b := range all {
		if last := len(d.Buckets) - 1; last >= 0 && d.Buckets[last].Lower == b.Lower {
			d.Buckets[last].Count += b.Count
		} else {
			d.Buckets = append(d.Buckets, b)
		}
	}
	d.Sum += other.Sum
	d.Max = max(d.Max, other.Max)
}

// Count returns the number of observations.
func (d Distribution) Count() int64 {
	var count int64
	for _, b := range d.Buckets {
		count += b.Count
	}
	return count
}

// Mean returns the mean of the observations, 0 when there are none.
func (d Distribution) Mean() time.Duration {
	if count := d.Count(); count > 0 {
		return d.Sum / time.Duration(count)
	}
	return 0
}

// Quantile returns an estimate of the smallest observation that at least the
// fraction q of all observations do not exceed, 0 when there are none. It lies
// in the same bucket as that observation, and is exact for q = 1.
func (d Distribution) Quantile(q float64) time.Duration {
	count := d.Count()
	rank := min(max(1, int64(math.Ceil(q*float64(count)))), count)
	if rank == count {
		return d.Max
	}
	for _, b := range d.Buckets {
		if rank <= b.Count {
			// The observations are taken to lie evenly in the bucket, each in the
			// middle of its share.
			place := (float64(rank) - 0.5) / float64(b.Count)
			return min(b.Lower+time.Duration(place*float64(b.Upper-b.Lower)), d.Max)
		}
		rank -= b.Count
	}
	return d.Max
}
