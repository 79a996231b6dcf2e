package alerting

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// MaxPeriods is the largest number of periods of a [StatisticsQuery].
const MaxPeriods = 1000

// A StatisticsQuery asks for a summary of an organization's alerts.
type StatisticsQuery struct {
	// Organization is the tenant, or [AllOrganizations].
	Organization string
	// Since and Until are the time that the trends cover, [Since, Until). Zero
	// times ask for no trends. They do not limit the other figures.
	Since, Until time.Time
	// Period is the length of one trend. The last one may be shorter. Defaults
	// to 24 hours.
	Period time.Duration
}

// Validate says whether the query can be answered.
func (q *StatisticsQuery) Validate() error {
	if err := validateScope(q.Organization); err != nil {
		return err
	}
	switch n := q.Periods(); {
	case q.Period < 0:
		return invalid("StatisticsQuery.Period", "%v is negative", q.Period)
	case q.Since.IsZero() != q.Until.IsZero():
		return invalid("StatisticsQuery.Until", "Since and Until need each other")
	case q.Until.Before(q.Since):
		return invalid("StatisticsQuery.Until", "is before Since")
	case n > MaxPeriods:
		return invalid("StatisticsQuery.Period", "%d periods are more than %d", n, MaxPeriods)
	}
	return nil
}

// PeriodLength returns Period or its default.
func (q *StatisticsQuery) PeriodLength() time.Duration {
	if q.Period == 0 {
		return 24 * time.Hour
	}
	return q.Period
}

// Periods returns the number of trends.
func (q *StatisticsQuery) Periods() int64 {
	span, period := q.Until.Sub(q.Since), q.PeriodLength()
	if span <= 0 || period <= 0 {
		return 0
	}
	return int64((span-1)/period) + 1
}

// Statistics summarizes alerts. The counts by status add up to Total, and so
// does each map.
type Statistics struct {
	Total        int `json:"total"`
	Active       int `json:"active"`
	Acknowledged int `json:"acknowledged"`
	Resolved     int `json:"resolved"`
	Dismissed    int `json:"dismissed"`

	BySeverity map[monitor.Severity]int  `json:"bySeverity"`
	ByType     map[monitor.AlertType]int `json:"byType"`
	BySource   map[string]int            `json:"bySource"`
	ByRule     map[string]int            `json:"byRule"`

	// Trends are the periods in order of time, empty ones included.
	Trends []Trend `json:"trends,omitempty"`
}

// A Trend is what happened in one period. An alert may be created in one period
// and closed in another; one that was reopened is not closed.
type Trend struct {
	// Period is when the period starts.
	Period time.Time `json:"period"`
	// Created, Resolved and Dismissed are the alerts to which this happened in
	// the period.
	Created   int `json:"created"`
	Resolved  int `json:"resolved"`
	Dismissed int `json:"dismissed"`
}

// NewStatistics returns the statistics of no alerts.
func NewStatistics(q StatisticsQuery) *Statistics {
	s := &Statistics{
		BySeverity: map[monitor.Severity]int{},
		ByType:     map[monitor.AlertType]int{},
		BySource:   map[string]int{},
		ByRule:     map[string]int{},
	}
	for i := range q.Periods() {
		s.Trends = append(s.Trends, Trend{Period: q.Since.Add(time.Duration(i) * q.PeriodLength())})
	}
	return s
}

// Add counts an alert. The query must be the one that s was made for.
func (s *Statistics) Add(q StatisticsQuery, a *monitor.Alert) {
	s.Total++
	switch a.Status {
	case monitor.AlertActive:
		s.Active++
	case monitor.AlertAcknowledged:
		s.Acknowledged++
	case monitor.AlertResolved:
		s.Resolved++
	case monitor.AlertDismissed:
		s.Dismissed++
	}
	s.BySeverity[a.Severity]++
	s.ByType[a.Type]++
	s.BySource[a.Source]++
	s.ByRule[a.Finding.Rule]++
	if t := s.trend(q, a.CreatedAt); t != nil {
		t.Created++
	}
	if t := s.trend(q, a.ResolvedAt); t != nil {
		switch a.Status {
		case monitor.AlertResolved:
			t.Resolved++
		case monitor.AlertDismissed:
			t.Dismissed++
		}
	}
}

// trend returns the period that a time is in, or nil.
func (s *Statistics) trend(q StatisticsQuery, at time.Time) *Trend {
	if at.Before(q.Since) || !at.Before(q.Until) {
		return nil
	}
	return &s.Trends[at.Sub(q.Since)/q.PeriodLength()]
}
