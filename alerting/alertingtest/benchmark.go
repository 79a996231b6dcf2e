package alertingtest

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// BenchmarkStore measures how fast a store opens alerts, adds repeats to one (also in
// parallel) and reads a page. newStore must return an empty store.
func BenchmarkStore(b *testing.B, newStore func(*testing.B) driver.Store) {
	for name, size := range map[string]int{"Create": 1, "CreateBatch256": 256} {
		b.Run(name, func(b *testing.B) {
			s, batch, n := newStore(b), occurrences(size), uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				for _, o := range batch {
					n++
					binary.BigEndian.PutUint64(o.Fingerprint[:], n)
				}
				store(b, s, batch)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "alerts/s")
		})
	}
	b.Run("Repeat", func(b *testing.B) {
		s, batch := newStore(b), occurrences(1)
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			binary.BigEndian.PutUint64(batch[0].EventKey[:], uint64(n)+1)
			store(b, s, batch)
		}
	})
	b.Run("RepeatParallel", func(b *testing.B) {
		s := newStore(b)
		var worker atomic.Uint64
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			batch := occurrences(1)
			binary.BigEndian.PutUint64(batch[0].EventKey[8:], worker.Add(1))
			for n := uint64(1); pb.Next(); n++ {
				binary.BigEndian.PutUint64(batch[0].EventKey[:8], n)
				store(b, s, batch)
			}
		})
	})
	b.Run("ListPage50", func(b *testing.B) {
		s := newStore(b)
		for i := range 20 {
			batch := occurrences(500)
			for j, o := range batch {
				o.Fingerprint = monitor.FingerprintOf("failed_auth", acme, fmt.Sprint(i, j))
			}
			store(b, s, batch)
		}
		q := alerting.Query{Organization: acme, Limit: 50}
		b.ReportAllocs()
		for b.Loop() {
			page, err := s.List(b.Context(), q)
			if err != nil {
				b.Fatal(err)
			}
			if q.After = ""; len(page) > 0 {
				q.After = alerting.Cursor(page[len(page)-1])
			}
		}
	})
}

// occurrences returns this many identical occurrences.
func occurrences(n int) (os []*monitor.Occurrence) {
	for range n {
		os = append(os, Occurrence(acme, "mallory", "e", start()))
	}
	return os
}

func store(b *testing.B, s driver.Store, batch []*monitor.Occurrence) {
	if _, err := s.StoreOccurrences(b.Context(), batch); err != nil {
		b.Error(err)
	}
}
