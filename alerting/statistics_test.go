package alerting_test

import (
	"errors"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		query  alerting.StatisticsQuery
		starts []int // seconds
		bad    string
	}{
		{name: "none"},
		{name: "empty", query: alerting.StatisticsQuery{Since: at(0), Until: at(0)}},
		{name: "one day", query: alerting.StatisticsQuery{Since: at(0), Until: at(86400)}, starts: []int{0}},
		{name: "a day and a bit", query: alerting.StatisticsQuery{Since: at(0), Until: at(86401)}, starts: []int{0, 86400}},
		{name: "minutes", query: alerting.StatisticsQuery{Since: at(30), Until: at(150), Period: time.Minute}, starts: []int{30, 90}},
		{name: "backwards", query: alerting.StatisticsQuery{Since: at(1), Until: at(0)}, bad: "StatisticsQuery.Until"},
		{name: "no end", query: alerting.StatisticsQuery{Since: at(1)}, bad: "StatisticsQuery.Until"},
		{name: "no start", query: alerting.StatisticsQuery{Until: at(1)}, bad: "StatisticsQuery.Until"},
		{name: "negative", query: alerting.StatisticsQuery{Since: at(0), Until: at(1), Period: -1}, bad: "StatisticsQuery.Period"},
		{name: "too many", query: alerting.StatisticsQuery{Since: at(0), Until: at(1001), Period: time.Second}, bad: "StatisticsQuery.Period"},
		{name: "far too many", query: alerting.StatisticsQuery{Since: time.Unix(0, 0), Until: time.Unix(1<<40, 0), Period: 1}, bad: "StatisticsQuery.Period"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.query.Organization = "acme"
			err := tt.query.Validate()
			if bad, ok := errors.AsType[*alerting.InvalidError](err); ok != (tt.bad != "") || ok && bad.Field != tt.bad {
				t.Fatalf("Validate: %v, want an error about %q", err, tt.bad)
			}
			if err != nil {
				return
			}
			trends := alerting.NewStatistics(tt.query).Trends
			if len(trends) != len(tt.starts) {
				t.Fatalf("%d trends, want %d", len(trends), len(tt.starts))
			}
			for i, start := range tt.starts {
				if !trends[i].Period.Equal(at(start)) {
					t.Errorf("period %d starts at %v", i, trends[i].Period)
				}
			}
		})
	}
}

func TestStatisticsAdd(t *testing.T) {
	t.Parallel()
	q := alerting.StatisticsQuery{Organization: "acme", Since: at(0), Until: at(150), Period: time.Minute}
	s := alerting.NewStatistics(q)
	for _, a := range []monitor.Alert{
		{CreatedAt: at(-1), Status: monitor.AlertActive},
		{CreatedAt: at(0), Status: monitor.AlertActive},
		{CreatedAt: at(59), ResolvedAt: at(60), Status: monitor.AlertResolved},
		{CreatedAt: at(60), ResolvedAt: at(149), Status: monitor.AlertDismissed},
		{CreatedAt: at(150), ResolvedAt: at(150), Status: monitor.AlertResolved},
	} {
		s.Add(q, &a)
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
