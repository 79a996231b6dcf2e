package alerting

import (
	"cmp"
	"time"

	"github.com/auditwarden/auditwarden/alerting/internal/cursor"
	"github.com/auditwarden/auditwarden/monitor"
)

// Page sizes.
const (
	// DefaultLimit is the page size of queries whose Limit is 0.
	DefaultLimit = 50
	// MaxLimit is the largest page size.
	MaxLimit = 1000
)

// A Query selects the alerts that match all of its fields. An empty list matches
// every alert; any other list matches alerts with one of its values.
type Query struct {
	// Organization is the tenant, or [AllOrganizations].
	Organization string
	Statuses     []monitor.AlertStatus
	Severities   []monitor.Severity
	Types        []monitor.AlertType
	Sources      []string
	Rules        []string
	// Since and Until limit CreatedAt to [Since, Until). A zero time is no limit.
	Since, Until time.Time

	// After is the [Cursor] of the last alert of the previous page, empty for the
	// first page. Count ignores After and Limit.
	After string
	// Limit is the largest number of alerts on the page, up to [MaxLimit].
	// Defaults to [DefaultLimit].
	Limit int
}

// Cursor returns the position of an alert in all listings, for [Query] After. It is
// opaque and safe in a URL, and stays valid if the alert is changed or deleted.
func Cursor(a *monitor.Alert) string { return cursor.Of(a) }

// check rejects an invalid query and sets the default limit.
func (q *Query) check() error {
	if err := checkScope(q.Organization); err != nil {
		return err
	}
	if err := checkLimit("Query.Limit", &q.Limit); err != nil {
		return err
	}
	if q.After != "" {
		if _, _, err := cursor.Parse(q.After); err != nil {
			return &InvalidError{Field: "Query.After", Err: err}
		}
	}
	return nil
}

// checkLimit rejects a limit that is out of range and sets the default.
func checkLimit(field string, limit *int) error {
	if *limit < 0 || *limit > MaxLimit {
		return invalid(field, "%d is not between 0 and %d", *limit, MaxLimit)
	}
	*limit = cmp.Or(*limit, DefaultLimit)
	return nil
}

// A DeadLetterQuery selects notifications that are dead letters.
type DeadLetterQuery struct {
	// Organization is the tenant, or [AllOrganizations].
	Organization string
	// Route is the name of a route. Empty means all routes.
	Route string
	// Limit is the largest number of dead letters, up to [MaxLimit]. Defaults to
	// [DefaultLimit].
	Limit int
}

// check rejects an invalid query and sets the default limit.
func (q *DeadLetterQuery) check() error {
	if err := checkScope(q.Organization); err != nil {
		return err
	}
	return checkLimit("DeadLetterQuery.Limit", &q.Limit)
}
