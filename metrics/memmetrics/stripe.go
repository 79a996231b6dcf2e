package memmetrics

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// What is counted often is spread over stripes, so that goroutines that count at
// the same time seldom write to the same cache line.

// A cell has a cache line for itself.
type cell struct {
	n atomic.Int64
	_ [56]byte
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
