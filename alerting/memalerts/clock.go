package memalerts

import (
	"sync/atomic"
	"time"
)

// A clock tells the time in whole microseconds. Each time is later than the one
// before, since alerts are sorted by it.
type clock struct{ last atomic.Int64 }

func (c *clock) now() time.Time {
	for {
		last := c.last.Load()
		now := max(time.Now().UnixMicro(), last+1)
		if c.last.CompareAndSwap(last, now) {
			return time.UnixMicro(now).UTC()
		}
	}
}
