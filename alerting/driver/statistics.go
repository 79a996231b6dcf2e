package driver

import (
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// NewStatistics returns zero counts, with a trend for each period of the query.
func NewStatistics(q alerting.StatisticsQuery) *alerting.Statistics {
	s := &alerting.Statistics{
		BySeverity: map[monitor.Severity]int{},
		ByType:     map[monitor.AlertType]int{},
		BySource:   map[string]int{},
		ByRule:     map[string]int{},
	}
	for at := q.Since; at.Before(q.Until); at = at.Add(q.Period) {
		s.Trends = append(s.Trends, alerting.Trend{Period: at})
	}
	return s
}

// CountAlerts adds n alerts with the status, severity, type, source and rule of a to
// all counts except the trends.
func CountAlerts(s *alerting.Statistics, a *monitor.Alert, n int) {
	s.Total += n
	switch a.Status {
	case monitor.AlertActive:
		s.Active += n
	case monitor.AlertAcknowledged:
		s.Acknowledged += n
	case monitor.AlertResolved:
		s.Resolved += n
	case monitor.AlertDismissed:
		s.Dismissed += n
	}
	s.BySeverity[a.Severity] += n
	s.ByType[a.Type] += n
	s.BySource[a.Source] += n
	s.ByRule[a.Finding.Rule] += n
}

// CountTrends adds an alert to the trends of the periods in which it was created and
// closed. q must be the query that s was made for.
func CountTrends(s *alerting.Statistics, q alerting.StatisticsQuery, a *monitor.Alert) {
	period := func(at time.Time) *alerting.Trend {
		if at.Before(q.Since) || !at.Before(q.Until) {
			return &alerting.Trend{} // not asked for
		}
		return &s.Trends[at.Sub(q.Since)/q.Period]
	}
	period(a.CreatedAt).Created++
	switch a.Status {
	case monitor.AlertResolved:
		period(a.ResolvedAt).Resolved++
	case monitor.AlertDismissed:
		period(a.ResolvedAt).Dismissed++
	default:
	}
}
