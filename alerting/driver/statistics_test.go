package driver_test

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestCountAlerts(t *testing.T) {
	t.Parallel()
	q := alerting.StatisticsQuery{Organization: "acme", Since: at(0), Until: at(150), Period: time.Minute}
	s := driver.NewStatistics(q)
	for _, a := range []monitor.Alert{
		{CreatedAt: at(-1), Status: monitor.AlertActive},
		{CreatedAt: at(0), Status: monitor.AlertActive},
		{CreatedAt: at(59), ResolvedAt: at(60), Status: monitor.AlertResolved},
		{CreatedAt: at(60), ResolvedAt: at(149), Status: monitor.AlertDismissed},
		{CreatedAt: at(150), ResolvedAt: at(150), Status: monitor.AlertResolved},
	} {
		driver.CountAlerts(s, &a, 1)
		driver.CountTrends(s, q, &a)
	}
	want := []alerting.Trend{{Period: at(0), Created: 2}, {Period: at(60), Created: 1, Resolved: 1}, {Period: at(120), Dismissed: 1}}
	for i, w := range want {
		if s.Trends[i] != w {
			t.Errorf("trend %d is %+v, want %+v", i, s.Trends[i], w)
		}
	}
	if s.Total != 5 || s.Active != 2 || s.Resolved != 2 || s.Dismissed != 1 {
		t.Errorf("statistics are %+v", s)
	}
}
