package memmetrics

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// A counter is spread over stripes, so that goroutines that count at the same
// time seldom write to the same cache line. Its length is a power of two.
type counter []cell

// A cell has a cache line for itself.
type cell struct {
	n atomic.Int64
	_ [56]byte
}

func (c counter) add(n int64) { c[stripe(len(c))].n.Add(n) }

func (c counter) total() int64 {
	var sum int64
	for i := range c {
		sum += c[i].n.Load()
	}
	return sum
}

func (c counter) reset() {
	for i := range c {
		c[i].n.Store(0)
	}
}

// stripes returns the number of stripes that suits this machine.
func stripes() int {
	n := 1
	for n < 4*runtime.GOMAXPROCS(0) && n < 64 {
		n *= 2
	}
	return n
}

// stripe returns a number below n, which is a power of two, from the address of
// the goroutine's stack: the same for a goroutine in one place of the program,
// and likely another for a different goroutine. A random number would spread
// the writes as well, but then every cache line wanders between the processors,
// which costs more than one counter for all.
func stripe(n int) int {
	var onStack byte
	address := uint64(uintptr(unsafe.Pointer(&onStack))) //nolint:gosec // the address is only hashed
	const kilobytes = 11                                 // the smallest stack has 2 KB
	return int(address>>kilobytes*0x9E3779B97F4A7C15>>32) & (n - 1)
}
