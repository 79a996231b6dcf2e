package monitor

import (
	"context"
	"sync/atomic"
)

// calls counts the calls that are in progress, so that a shutdown can wait for them.
// A batch counts in a place of its own or few others', so that processors rarely
// write the same cache line.
type calls struct {
	places [64]callCount
	next   atomic.Uint32 // place to hand out
	closed atomic.Bool
	ended  chan struct{} // holds a token when a call ended after closed was set
}

type callCount struct {
	atomic.Int64
	_ [56]byte
}

func (c *calls) init() { c.ended = make(chan struct{}, 1) }

// place returns where a batch counts.
func (c *calls) place() *callCount { return &c.places[c.next.Add(1)%uint32(len(c.places))] }

// begin counts a call, and reports whether it may go on.
func (c *calls) begin(at *callCount) bool {
	at.Add(1)
	if c.closed.Load() {
		c.end(at)
		return false
	}
	return true
}

func (c *calls) end(at *callCount) {
	at.Add(-1)
	if c.closed.Load() {
		select {
		case c.ended <- struct{}{}:
		default:
		}
	}
}

// close lets no further calls begin.
func (c *calls) close() { c.closed.Store(true) }

// wait waits until no call is in progress, and returns how many are if ctx ends first.
func (c *calls) wait(ctx context.Context) int64 {
	for {
		var n int64
		for i := range c.places {
			n += c.places[i].Load()
		}
		if n == 0 {
			return 0
		}
		select {
		case <-c.ended:
		case <-ctx.Done():
			return n
		}
	}
}
