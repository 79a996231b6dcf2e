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

// BenchmarkStore measures a store: new alerts, repeats of an open one, alone and
// in parallel, and reading a page. New returns an empty store.
func BenchmarkStore(b *testing.B, newStore func(*testing.B) driver.Store) {
	b.Run("Create", func(b *testing.B) {
		s := newStore(b)
		batch := []*monitor.Occurrence{Occurrence(acme, "mallory", "e", start())}
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			binary.BigEndian.PutUint64(batch[0].Fingerprint[:], uint64(n)+1)
			store(b, s, batch)
		}
	})
	b.Run("CreateBatch256", func(b *testing.B) {
		s := newStore(b)
		var batch []*monitor.Occurrence
		for range 256 {
			batch = append(batch, Occurrence(acme, "mallory", "e", start()))
		}
		b.ReportAllocs()
		n := uint64(0)
		for b.Loop() {
			for _, o := range batch {
				n++
				binary.BigEndian.PutUint64(o.Fingerprint[:], n)
			}
			store(b, s, batch)
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "alerts/s")
	})
	b.Run("Repeat", func(b *testing.B) {
		s := newStore(b)
		batch := []*monitor.Occurrence{Occurrence(acme, "mallory", "e", start())}
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
			batch := []*monitor.Occurrence{Occurrence(acme, "mallory", "e", start())}
			binary.BigEndian.PutUint64(batch[0].EventKey[8:], worker.Add(1))
			for n := uint64(1); pb.Next(); n++ {
				binary.BigEndian.PutUint64(batch[0].EventKey[:8], n)
				store(b, s, batch)
			}
		})
	})
	b.Run("ListPage50", func(b *testing.B) {
		s := newStore(b)
		var batch []*monitor.Occurrence
		for i := range 10_000 {
			batch = append(batch, Occurrence(acme, fmt.Sprint("k", i), fmt.Sprint("e", i), start()))
			if len(batch) == 500 {
				store(b, s, batch)
				batch = batch[:0]
			}
		}
		q := alerting.Query{Organization: acme, Limit: alerting.DefaultLimit}
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

func store(b *testing.B, s driver.Store, batch []*monitor.Occurrence) {
	if _, err := s.StoreOccurrences(b.Context(), batch); err != nil {
		b.Error(err)
	}
}
