package alerting

import (
	"cmp"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// MaxPeriods is the largest number of trends that a [StatisticsQuery] may ask for.
const MaxPeriods = 1000

// A StatisticsQuery asks for statistics of an organization's alerts.
type StatisticsQuery struct {
	// Organization is the tenant, or [AllOrganizations].
	Organization string
	// Since and Until are the range of the trends, [Since, Until). They do not limit
	// the other counts. If both are zero there are no trends.
	Since, Until time.Time
	// Period is the length of a trend; the last one may be shorter. Defaults to 24
	// hours.
	Period time.Duration
}

// check rejects an invalid query and sets the default period.
func (q *StatisticsQuery) check() error {
	if err := checkScope(q.Organization); err != nil {
		return err
	}
	switch {
	case q.Period < 0:
		return invalid("StatisticsQuery.Period", "%v is negative", q.Period)
	case q.Since.IsZero() != q.Until.IsZero():
		return invalid("StatisticsQuery.Until", "Since and Until must both be set or both be zero")
	case q.Until.Before(q.Since):
		return invalid("StatisticsQuery.Until", "is before Since")
	}
	q.Period = cmp.Or(q.Period, 24*time.Hour)
	if n := int64(q.Until.Sub(q.Since)-1)/int64(q.Period) + 1; n > MaxPeriods {
		return invalid("StatisticsQuery.Period", "%d periods are more than %d", n, MaxPeriods)
	}
	return nil
}

// Statistics has numbers of alerts. Those by status add up to Total, as do those of
// each map.
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

	// Trends are the periods in chronological order, including empty ones.
	Trends []Trend `json:"trends,omitempty"`
}

// A Trend counts the alerts that were created or closed in one period. An alert may
// be created in one and closed in another. A reopened alert does not count as closed.
type Trend struct {
	// Period is the start of the period.
	Period time.Time `json:"period"`
	// Created, Resolved and Dismissed are the numbers of alerts that were created,
	// resolved and dismissed in the period.
	Created   int `json:"created"`
	Resolved  int `json:"resolved"`
	Dismissed int `json:"dismissed"`
}
