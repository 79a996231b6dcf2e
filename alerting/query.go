package alerting

import (
	"cmp"
	"slices"
	"time"

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

	// After is the [Cursor] of the last alert of the page before. It and Limit
	// do not matter to Count.
	After string
	// Limit is the largest number of alerts on the page, up to [MaxLimit].
	// Defaults to [DefaultLimit].
	Limit int
}

// Validate says whether the query can be answered.
func (q *Query) Validate() error {
	if err := validateScope(q.Organization); err != nil {
		return err
	}
	if err := validateLimit("Query.Limit", q.Limit); err != nil {
		return err
	}
	if q.After != "" {
		if _, _, err := ParseCursor(q.After); err != nil {
			return err
		}
	}
	return nil
}

// validateScope allows one organization or all of them.
func validateScope(organization string) error {
	if organization == AllOrganizations {
		return nil
	}
	return ValidateOrganization(organization)
}

func validateLimit(field string, limit int) error {
	if limit < 0 || limit > MaxLimit {
		return invalid(field, "%d is not between 0 and %d", limit, MaxLimit)
	}
	return nil
}

// PageSize returns Limit or its default.
func (q *Query) PageSize() int { return cmp.Or(q.Limit, DefaultLimit) }

// Matches reports whether the query selects the alert, on whatever page.
func (q *Query) Matches(a *monitor.Alert) bool {
	return (q.Organization == AllOrganizations || q.Organization == a.OrganizationID) &&
		among(q.Statuses, a.Status) &&
		among(q.Severities, a.Severity) &&
		among(q.Types, a.Type) &&
		among(q.Sources, a.Source) &&
		among(q.Rules, a.Finding.Rule) &&
		!a.CreatedAt.Before(q.Since) &&
		(q.Until.IsZero() || a.CreatedAt.Before(q.Until))
}

// among reports whether v is in the list or the list is empty.
func among[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }
