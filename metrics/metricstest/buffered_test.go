package metricstest_test

import (
	"context"
	"testing"

	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/metrics/metricstest"
	"github.com/auditwarden/auditwarden/monitor"
)

// buffered is a collector that has to be flushed.
type buffered struct {
	metricstest.Collector
	pending chan monitor.Measurement
}

func newBuffered(c metricstest.Collector) *buffered {
	return &buffered{c, make(chan monitor.Measurement, 1<<16)}
}

func (b *buffered) Record(_ context.Context, m monitor.Measurement) { b.pending <- m }

func (b *buffered) Flush(ctx context.Context) {
	for {
		select {
		case m := <-b.pending:
			b.Collector.Record(ctx, m)
		default:
			return
		}
	}
}

// TestSuiteFlushes runs the suite on a collector whose measurements cannot be
// seen before a flush, and that cannot be reset.
func TestSuiteFlushes(t *testing.T) {
	t.Parallel()
	metricstest.RunCollector(t, metricstest.Harness{
		New: func(testing.TB) metricstest.Collector { return newBuffered(memmetrics.New()) },
		Flush: func(t testing.TB, c metricstest.Collector) {
			c.(*buffered).Flush(t.Context())
		},
	})
}
