package driver

import (
	"cmp"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/internal/cursor"
	"github.com/auditwarden/auditwarden/monitor"
)

// Matches reports whether a query selects an alert. It ignores After and Limit.
func Matches(q *alerting.Query, a *monitor.Alert) bool {
	return (q.Organization == alerting.AllOrganizations || q.Organization == a.OrganizationID) &&
		among(q.Statuses, a.Status) &&
		among(q.Severities, a.Severity) &&
		among(q.Types, a.Type) &&
		among(q.Sources, a.Source) &&
		among(q.Rules, a.Finding.Rule) &&
		!a.CreatedAt.Before(q.Since) &&
		(q.Until.IsZero() || a.CreatedAt.Before(q.Until))
}

// Newest compares two alerts in the order of listings, for [slices.SortFunc]: by
// descending CreatedAt, then by descending ID.
func Newest(a, b *monitor.Alert) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.ID, a.ID))
}

// ParseCursor returns the position in a listing that an [alerting.Cursor] encodes:
// the CreatedAt of an alert, truncated to microseconds, and its ID. The error is an
// [alerting.InvalidError].
func ParseCursor(after string) (createdAt time.Time, id string, err error) {
	createdAt, id, err = cursor.Parse(after)
	if err != nil {
		return time.Time{}, "", &alerting.InvalidError{Field: "Query.After", Err: err}
	}
	return createdAt, id, nil
}
