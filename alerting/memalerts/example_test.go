package memalerts_test

import (
	"context"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/monitor"
)

func Example() {
	ctx := context.Background()
	alerts, err := alerting.NewManager(memalerts.New(&memalerts.Options{MaxAlerts: 1000}), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		o := alertingtest.Occurrence("acme", "mallory", fmt.Sprint("event-", i), time.Unix(int64(i), 0))
		if _, err := alerts.StoreOccurrences(ctx, []*monitor.Occurrence{o}); err != nil {
			fmt.Println(err)
		}
	}
	stats, err := alerts.Statistics(ctx, alerting.StatisticsQuery{Organization: "acme"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(stats.Total, stats.Active, stats.ByRule)
	// Output: 1 1 map[failed_auth:1]
}
