package metrics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// A collector of the application can be put beside memmetrics; here it forgets
// everything.
func ExampleFanout() {
	local := memmetrics.New()
	collector := metrics.Fanout(local, metrics.Discard{})

	ctx := context.Background()
	collector.Record(ctx, monitor.Measurement{Metric: monitor.AlertsCreated, Value: 1, Attribute: "failed_auth"})
	snapshot, err := collector.Snapshot(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(snapshot.Value(monitor.AlertsCreated), snapshot.Metrics[monitor.AlertsCreated].ByAttribute["failed_auth"].Value)
	// Output: 1 1
}

func ExampleNewReport() {
	collector := memmetrics.New()
	ctx := context.Background()
	for range 4 {
		collector.Record(ctx, monitor.Measurement{Metric: monitor.EventsProcessed, Value: 1})
		collector.Record(ctx, monitor.Measurement{Metric: monitor.ProcessingLatency, Value: int64(time.Millisecond)})
	}
	collector.Record(ctx, monitor.Measurement{Metric: monitor.Errors, Value: 1, Attribute: "detector"})

	snapshot, err := collector.Snapshot(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	snapshot.Timestamp = time.Date(2026, 3, 13, 9, 30, 0, 0, time.UTC)
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(metrics.NewReport(&snapshot)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {
	//   "timestamp": "2026-03-13T09:30:00Z",
	//   "eventsProcessed": 4,
	//   "processingLatency": {
	//     "average": 1,
	//     "p50": 1,
	//     "p95": 1,
	//     "p99": 1
	//   },
	//   "queueDepth": 0,
	//   "errorsGenerated": 1,
	//   "errorRate": 0.25,
	//   "integrityVerifications": {
	//     "total": 0,
	//     "passed": 0,
	//     "failed": 0
	//   },
	//   "integrityViolations": 0,
	//   "suspiciousPatterns": 0,
	//   "alertsGenerated": 0
	// }
}
