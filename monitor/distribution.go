package monitor

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A Distribution is a histogram of observed durations. The zero value has no
// observations. It is plain data and not safe for concurrent use.
type Distribution struct {
	// Buckets are in ascending order and do not overlap. Empty ones may be omitted.
	Buckets []DistributionBucket
	// Sum is the sum of the observations. It overflows beyond 292 years.
	Sum time.Duration
	// Max is the largest observation.
	Max time.Duration
}

// A DistributionBucket counts the observations d with Lower <= d < Upper. A bucket
// whose Upper is the longest [time.Duration] includes that duration.
type DistributionBucket struct {
	Lower, Upper time.Duration
	Count        int64
}

// Merge adds the observations of another distribution. Each of its buckets must
// have the same bounds as a bucket of d, or overlap none of them.
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

// Mean returns the mean of the observations, or 0 if there are none.
func (d Distribution) Mean() time.Duration {
	if count := d.Count(); count > 0 {
		return d.Sum / time.Duration(count)
	}
	return 0
}

// Quantile estimates the q-quantile of the observations, such as the 95th
// percentile for q = 0.95, or returns 0 if there are none. The estimate lies in
// the same bucket as the exact value, and for q = 1 it is Max.
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
