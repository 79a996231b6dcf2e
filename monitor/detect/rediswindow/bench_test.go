package rediswindow_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// BenchmarkDetect measures events that one rule counts, in calls of one or 256,
// of many principals or one under attack.
func BenchmarkDetect(b *testing.B) {
	for _, c := range []struct{ batch, principals int }{{1, 100_000}, {1, 1}, {256, 100_000}, {256, 64}, {256, 1}} {
		b.Run(fmt.Sprintf("batch_%d/principals_%d", c.batch, c.principals), func(b *testing.B) {
			i := newInstance(b, connectURL(b), rediswindow.Options{})
			es := make([]*monitor.Event, c.batch)
			arrivals := make([]monitor.Arrival, c.batch)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				for k := range es {
					n++
					e := event(0)
					e.ID = fmt.Sprint("0192f0c1-5bd4-7c3a-9f00-", n)
					e.Timestamp = e.Timestamp.Add(time.Duration(n) * time.Millisecond)
					e.PrincipalID = fmt.Sprint("principal-", n%c.principals)
					es[k] = e
					arrivals[k] = monitor.Arrival{
						OrganizationID: e.OrganizationID, Sequence: uint64(n), Watermark: e.Timestamp, Lateness: time.Minute,
					}
				}
				if err := i.DetectBatch(b.Context(), es, monitor.NewReporter(arrivals...)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
