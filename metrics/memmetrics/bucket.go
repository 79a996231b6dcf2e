package memmetrics

import (
	"math"
	"math/bits"
	"time"
)

// The buckets are log-linear, as in an HDR histogram: one for each nanosecond
// below 64 ns, and from there on 32 of equal width for each doubling. They
// cover every duration, and a bucket is never wider than 1/32 of the durations
// in it.
const (
	bucketBits = 5
	perOctave  = 1 << bucketBits
	octaves    = 63 - bucketBits // a time.Duration has 63 bits; the lowest are the linear part

	bucketCount = perOctave * (octaves + 1)
)

// bucketOf returns the bucket of a duration that is not negative.
func bucketOf(d time.Duration) int {
	v := uint64(d)
	shift := max(0, bits.Len64(v)-bucketBits-1)
	return shift*perOctave + int(v>>shift)
}

// bucketBounds returns the durations that a bucket counts: lo <= d < hi. The
// last bucket includes the longest duration as well.
func bucketBounds(bucket int) (lo, hi time.Duration) {
	if bucket == bucketCount-1 {
		return lowerBound(bucket), math.MaxInt64
	}
	return lowerBound(bucket), lowerBound(bucket + 1)
}

func lowerBound(bucket int) time.Duration {
	shift := max(0, bucket/perOctave-1)
	return time.Duration(bucket-shift*perOctave) << shift
}
