package metricstest_test

import (
	"fmt"
	"testing"

	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/metrics/metricstest"
)

// Each kind of collector has a test that runs the suite.
func ExampleRunCollector() {
	TestBuffered := func(t *testing.T) {
		metricstest.RunCollector(t, metricstest.Harness{
			New: func(testing.TB) metricstest.Collector {
				return newBuffered(memmetrics.New())
			},
			Flush: func(t testing.TB, c metricstest.Collector) {
				c.(*buffered).Flush(t.Context())
			},
		})
	}
	fmt.Printf("%T", TestBuffered)
	// Output: func(*testing.T)
}
