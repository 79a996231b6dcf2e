package benchtest

import (
	"runtime"
	"testing"
)

// BenchmarkNewKey measures the first login of a user that the engine has not
// seen before, for up to 10,000 of them. held-B/op is what is left of it in heap
// and stacks.
func BenchmarkNewKey(b *testing.B, contenders ...Contender) {
	const users = 10_000
	for _, c := range contenders {
		b.Run(c.Name, func(b *testing.B) {
			b.ReportAllocs()
			var engine Engine
			var before, held, goroutines int
			open := func() {
				engine = c.New(b, users+1)
				goroutines -= runtime.NumGoroutine()
				before = inUse()
			}
			done := func() {
				held += inUse() - before
				goroutines += runtime.NumGoroutine()
				for range Threshold { // by one more
					engine.Login(users, start)
				}
				c.check(b, engine.Close())
			}
			open()
			user := 0
			for b.Loop() {
				if user == users {
					b.StopTimer()
					done()
					open()
					user = 0
					b.StartTimer()
				}
				engine.Login(user, start)
				user++
			}
			done()
			b.ReportMetric(float64(held)/float64(b.N), "held-B/op")
			b.ReportMetric(float64(goroutines)/float64(b.N), "goroutines/op")
		})
	}
}

// inUse returns the bytes of live heap and of stacks.
func inUse() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
