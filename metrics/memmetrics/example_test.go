package memmetrics_test

import (
	"context"
	"fmt"

	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

func Example() {
	collector := memmetrics.New() // goes into monitor.Config.Metrics
	ctx := context.Background()
	collector.Record(ctx, monitor.Measurement{Metric: monitor.EventsProcessed, Value: 2})
	collector.Record(ctx, monitor.Measurement{Metric: monitor.SuspiciousPatterns, Value: 1, Attribute: "off_hours"})

	snapshot, err := collector.Snapshot(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(snapshot.Value(monitor.EventsProcessed), "events")
	for rule, data := range snapshot.Metrics[monitor.SuspiciousPatterns].ByAttribute {
		fmt.Println(rule, data.Value)
	}
	// Output:
	// 2 events
	// off_hours 1
}
