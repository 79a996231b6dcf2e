package alerting_test

import (
	"errors"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
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
			s, err := newManager(t, newSpy(), nil).Statistics(t.Context(), tt.query)
			if bad, ok := errors.AsType[*alerting.InvalidError](err); ok != (tt.bad != "") || ok && bad.Field != tt.bad {
				t.Fatalf("Statistics: %v, want an error about %q", err, tt.bad)
			}
			if err != nil {
				return
			}
			trends := s.Trends
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
