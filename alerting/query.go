package alerting

import (
	"cmp"
	"time"

	"github.com/auditwarden/auditwarden/alerting/internal/cursor"
	"github.com/auditwarden/auditwarden/monitor"
)

// Sizes of a page.
const (
	// DefaultLimit is the page size of a [Query] without Limit.
	DefaultLimit = 50
	// MaxLimit is the largest page size.
	MaxLimit = 1000
)

// A Query selects alerts. An alert matches if it satisfies every field; an empty
// list is satisfied by every alert, any other by an alert whose value is in it.
type Query struct {
	// Organization is the tenant, or [AllOrganizations].
	Organization string
	Statuses     []monitor.AlertStatus
	Severities   []monitor.Severity
	Types        []monitor.AlertType
	Sources      []string
	Rules        []string
	// Since and Until limit CreatedAt to [Since, Until). A zero time is no
	// limit.
	Since, Until time.Time

	// After is the [Cursor] of the last alert of the previous page. Count ignores
	// it, and Limit.
	After string
	// Limit is the largest number of alerts on the page, up to [MaxLimit].
	// Defaults to [DefaultLimit].
	Limit int
}

// Cursor returns the alert's place in every listing, for [Query] After. It is
// opaque and safe in a URL, and stays valid when the alert is changed or deleted.
func Cursor(a *monitor.Alert) string { return cursor.Of(a) }

// check refuses a query that cannot be answered and fills in the limit.
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

// checkLimit refuses a limit that is out of bounds and fills in the default.
func checkLimit(field string, limit *int) error {
	if *limit < 0 || *limit > MaxLimit {
		return invalid(field, "%d is not between 0 and %d", *limit, MaxLimit)
	}
	*limit = cmp.Or(*limit, DefaultLimit)
	return nil
}

// A DeadLetterQuery selects dead letters.
type DeadLetterQuery struct {
	// Organization is the tenant, or [AllOrganizations].
	Organization string
	// Route is the name of the route. Empty means all.
	Route string
	// Limit is the largest number of dead letters, up to [MaxLimit]. Defaults to
	// [DefaultLimit].
	Limit int
}

// check refuses a query that cannot be answered and fills in the limit.
func (q *DeadLetterQuery) check() error {
	if err := checkScope(q.Organization); err != nil {
		return err
	}
	return checkLimit("DeadLetterQuery.Limit", &q.Limit)
}
