package redismetrics_test

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// The collector goes into monitor.Config.Metrics; Monitor.Run runs it. Here it
// is used by hand.
func Example() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()
	collector, err := redismetrics.New(client, &redismetrics.Options{Prefix: "payments:audit"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	collector.Record(ctx, monitor.Measurement{Metric: monitor.EventsProcessed, Value: 1})

	snapshot, err := collector.Snapshot(ctx) // the totals of all instances
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(snapshot.Value(monitor.EventsProcessed), "events")
}
