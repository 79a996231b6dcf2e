package alertingtest

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func (t *storeTest) statistics(q alerting.StatisticsQuery) *alerting.Statistics {
	t.Helper()
	return check.Must(t.Statistics(t.Context(), q))(t)
}

func testStatistics(t *storeTest) {
	empty := t.statistics(alerting.StatisticsQuery{Organization: acme})
	if empty.Total != 0 || empty.BySeverity == nil || empty.ByType == nil || empty.BySource == nil || empty.ByRule == nil {
		t.Errorf("statistics without alerts: %+v", empty)
	}
	severities := []monitor.Severity{monitor.SeverityLow, monitor.SeverityHigh, monitor.SeverityHigh}
	statuses := []monitor.AlertStatus{
		monitor.AlertActive, monitor.AlertActive, monitor.AlertAcknowledged, monitor.AlertResolved, monitor.AlertDismissed,
	}
	for i, severity := range severities {
		for j, status := range statuses {
			name := fmt.Sprint(i, j)
			o := Occurrence(acme, name, name, minutes(0))
			o.Finding.Severity = severity
			o.Source = fmt.Sprint("source", i)
			o.Finding.Rule = fmt.Sprint("rule", j)
			if j == 0 {
				o.Type = monitor.AlertCompliance
			}
			ref := monitor.AlertRef{Organization: acme, ID: t.one(o).AlertID}
			if status != monitor.AlertActive {
				t.ok(t.changes()[status](t.Context(), ref, ann, ""))
			}
		}
	}
	s := t.statistics(alerting.StatisticsQuery{Organization: acme})
	check.Equal(t, "Total", s.Total, 15)
	check.Equal(t, "Active", s.Active, 6)
	check.Equal(t, "Acknowledged", s.Acknowledged, 3)
	check.Equal(t, "Resolved", s.Resolved, 3)
	check.Equal(t, "Dismissed", s.Dismissed, 3)
	check.Equal(t, "trends", len(s.Trends), 0)
	check.Equal(t, "BySeverity", s.BySeverity, map[monitor.Severity]int{monitor.SeverityLow: 5, monitor.SeverityHigh: 10})
	check.Equal(t, "ByType", s.ByType, map[monitor.AlertType]int{monitor.AlertSecurity: 12, monitor.AlertCompliance: 3})
	check.Equal(t, "BySource", s.BySource, map[string]int{"source0": 5, "source1": 5, "source2": 5})
	check.Equal(t, "ByRule", s.ByRule, map[string]int{"rule0": 3, "rule1": 3, "rule2": 3, "rule3": 3, "rule4": 3})
}

func testTrends(t *storeTest) {
	resolved := t.opened(acme, "resolved", "e1", minutes(0))
	dismissed := t.opened(acme, "dismissed", "e2", minutes(0))
	reopened := t.opened(acme, "reopened", "e3", minutes(0))
	letClockMove()
	resolved = t.ok(t.Resolve(t.Context(), resolved.Ref(), ann, ""))
	dismissed = t.ok(t.Dismiss(t.Context(), dismissed.Ref(), ann, ""))
	t.ok(t.Resolve(t.Context(), reopened.Ref(), ann, ""))
	t.ok(t.Reopen(t.Context(), reopened.Ref(), ann, ""))

	// The second period begins when the first alert was resolved.
	first, second := resolved.CreatedAt, resolved.ResolvedAt
	q := alerting.StatisticsQuery{
		Organization: acme,
		Since:        first,
		Until:        dismissed.ResolvedAt.Add(time.Microsecond),
		Period:       second.Sub(first),
	}
	s := t.statistics(q)
	check.Equal(t, "periods", int64(len(s.Trends)), int64((q.Until.Sub(q.Since)-1)/q.Period)+1)
	created, resolutions, dismissals := 0, 0, 0
	for i, trend := range s.Trends {
		check.Equal(t, fmt.Sprintf("period %d", i), trend.Period, first.Add(time.Duration(i)*q.Period))
		created += trend.Created
		resolutions += trend.Resolved
		dismissals += trend.Dismissed
	}
	check.Equal(t, "created in all", created, 3)
	check.Equal(t, "resolved in all", resolutions, 1)
	check.Equal(t, "dismissed in all", dismissals, 1)
	check.Equal(t, "created in the first", s.Trends[0].Created, 3)
	check.Equal(t, "resolved in the first", s.Trends[0].Resolved, 0)
	check.Equal(t, "resolved in the second", s.Trends[1].Resolved, 1)

	// The end is exclusive, and the other counts do not depend on the range.
	q.Since, q.Until = second.Add(-24*time.Hour), second
	q.Period = 0
	s = t.statistics(q)
	check.Equal(t, "periods", len(s.Trends), 1)
	check.Equal(t, "created before the second", s.Trends[0].Created, 3)
	check.Equal(t, "resolved before the second", s.Trends[0].Resolved, 0)
	check.Equal(t, "Total", s.Total, 3)
	check.Equal(t, "Resolved", s.Resolved, 1)
}
