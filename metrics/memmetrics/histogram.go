package memmetrics

import (
	"sync/atomic"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A histogram counts durations by size. It is spread over stripes. Its length is
// a power of two.
type histogram []observations

// observations take 15 KB.
type observations struct {
	sum, max atomic.Int64
	counts   [bucketCount]atomic.Int64
}

// record observes a duration. A negative one, which a clock that was set back can
// yield, counts as 0.
func (h histogram) record(value int64) {
	value = max(value, 0)
	o := &h[stripe(len(h))]
	o.counts[bucketOf(time.Duration(value))].Add(1)
	o.sum.Add(value)
	for {
		seen := o.max.Load()
		if value <= seen || o.max.CompareAndSwap(seen, value) {
			return
		}
	}
}

// data returns what was observed so far. Of an observation made at the same time
// a part may be missing.
func (h histogram) data() monitor.MetricData {
	var data monitor.MetricData
	d := &data.Distribution
	for bucket := range bucketCount {
		var n int64
		for i := range h {
			n += h[i].counts[bucket].Load()
		}
		if n != 0 {
			lower, upper := bucketBounds(bucket)
			d.Buckets = append(d.Buckets, monitor.DistributionBucket{Lower: lower, Upper: upper, Count: n})
			data.Value += n
		}
	}
	for i := range h {
		d.Sum += time.Duration(h[i].sum.Load())
		d.Max = max(d.Max, time.Duration(h[i].max.Load()))
	}
	return data
}

func (h histogram) reset() {
	for i := range h {
		o := &h[i]
		for bucket := range o.counts {
			o.counts[bucket].Store(0)
		}
		o.sum.Store(0)
		o.max.Store(0)
	}
}
