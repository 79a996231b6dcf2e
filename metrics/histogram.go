package metrics

import (
	"sync/atomic"
	"time"
)

// A Histogram counts durations by size. Its memory is fixed, about 15 KB, and
// [Histogram.Observe] neither locks nor allocates. It is safe for concurrent
// use, and its zero value is empty. It must not be copied.
//
// Processors that observe into one histogram at the same time slow each other
// down; give each a histogram of its own and add them up in one [Distribution].
type Histogram struct {
	sum, max atomic.Int64
	counts   [BucketCount]atomic.Int64
}

// Observe counts one duration. A negative one, which a clock that was set back
// can yield, counts as 0.
func (h *Histogram) Observe(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(d)].Add(1)
	h.sum.Add(int64(d))
	for {
		seen := h.max.Load()
		if int64(d) <= seen || h.max.CompareAndSwap(seen, int64(d)) {
			return
		}
	}
}

// AddTo adds what was observed so far to d. An observation made at the same
// time may be missing from a part of it.
func (h *Histogram) AddTo(d *Distribution) {
	for i := range h.counts {
		d.Counts[i] += h.counts[i].Load()
	}
	d.Sum += time.Duration(h.sum.Load())
	d.Max = max(d.Max, time.Duration(h.max.Load()))
}

// MoveTo adds what was observed so far to d and forgets it. Of an observation
// made at the same time, each part is in d or stays behind for the next call;
// none is lost and none counted twice.
func (h *Histogram) MoveTo(d *Distribution) {
	for i := range h.counts {
		if h.counts[i].Load() != 0 { // reading is much cheaper than swapping
			d.Counts[i] += h.counts[i].Swap(0)
		}
	}
	d.Sum += time.Duration(h.sum.Swap(0))
	d.Max = max(d.Max, time.Duration(h.max.Swap(0)))
}
