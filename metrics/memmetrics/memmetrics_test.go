package memmetrics_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/metrics/metricstest"
	"github.com/auditwarden/auditwarden/monitor"
)

var harness = metricstest.Harness{
	New: func(testing.TB) metricstest.Collector { return memmetrics.New() },
}

func TestCollector(t *testing.T) {
	t.Parallel()
	metricstest.RunCollector(t, harness)
}

func BenchmarkCollector(b *testing.B) { metricstest.BenchmarkCollector(b, harness) }

func TestRecordAllocatesNothing(t *testing.T) {
	c := memmetrics.New()
	measurements := []monitor.Measurement{
		{Metric: monitor.EventsProcessed, Value: 1},
		{Metric: monitor.QueueDepth, Value: 1},
		{Metric: monitor.ProcessingLatency, Value: 450},
		{Metric: monitor.Verifications, Value: 1, Attribute: "verified"},
		{Metric: monitor.AlertsCreated, Value: 1, Attribute: "failed_auth"},
	}
	ctx := t.Context()
	record := func() {
		for _, m := range measurements {
			c.Record(ctx, m)
		}
	}
	record() // the attributes become known
	if n := testing.AllocsPerRun(100, record); n != 0 {
		t.Errorf("Record allocates %v times", n)
	}
}

// TestFullSetAllocatesNothing records an attribute beyond the bound.
func TestFullSetAllocatesNothing(t *testing.T) {
	c := memmetrics.New()
	ctx := t.Context()
	name := make([]byte, 2)
	record := func() {
		c.Record(ctx, monitor.Measurement{Metric: monitor.Errors, Value: 1, Attribute: string(name)})
	}
	for i := range 1 << 12 {
		name[0], name[1] = byte('0'+i>>6), byte('0'+i&63)
		record()
	}
	if n := testing.AllocsPerRun(100, record); n > 1 { // the attribute itself
		t.Errorf("Record allocates %v times", n)
	}
}
