package pgalerts

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// A filter is a list of SQL conditions with the values of their parameters. The
// conditions are constants; all input is passed as values.
type filter struct {
	conditions []string
	args       []any
}

// scopedTo returns a filter for one organization or for all.
func scopedTo(organization string) *filter {
	f := &filter{}
	// What is always true lets the server use the indexes of listings.
	if organization == alerting.AllOrganizations {
		f.add(`octet_length(organization_id) > 0`)
	} else {
		f.add(`organization_id = # AND octet_length(fingerprint) > 0`, organization)
	}
	return f
}

// filterOf returns the filter for a query, except for its Until and After.
func filterOf(q *alerting.Query) (*filter, error) {
	if err := checkOrganization(q.Organization); err != nil {
		return nil, err
	}
	f := scopedTo(q.Organization)
	f.statuses(q.Statuses)
	if len(q.Severities) > 0 {
		f.add(`severity = ANY (#)`, column(q.Severities, func(s monitor.Severity) int16 { return int16(s) }))
	}
	if len(q.Types) > 0 {
		f.add(`type = ANY (#)`, cleanAll(q.Types))
	}
	if len(q.Sources) > 0 {
		f.add(`source = ANY (#)`, cleanAll(q.Sources))
	}
	if len(q.Rules) > 0 {
		f.add(`rule = ANY (#)`, cleanAll(q.Rules))
	}
	if !q.Since.IsZero() {
		f.add(`created_at >= #`, moment(q.Since))
	}
	return f, nil
}

// statuses limits the filter to alerts with one of these statuses. For open statuses,
// it adds a condition that lets the server use the indexes of open alerts.
func (f *filter) statuses(statuses []monitor.AlertStatus) {
	open := func(s monitor.AlertStatus) bool { return s.Open() }
	closed := func(s monitor.AlertStatus) bool { return !s.Open() }
	if slices.ContainsFunc(statuses, open) && !slices.ContainsFunc(statuses, closed) {
		f.add(`status IN ('active', 'acknowledged')`)
	}
	if len(statuses) > 0 {
		f.add(`status = ANY (#)`, cleanAll(statuses))
	}
}

// until limits the filter to alerts that were created before t, unless t is zero.
func (f *filter) until(t time.Time) {
	if !t.IsZero() {
		f.add(`created_at < #`, moment(t))
	}
}

// page limits the filter to alerts after the query's cursor and before Until. It only
// adds the stricter of the two conditions, since an index scan starts at one
// position.
func (f *filter) page(q *alerting.Query) error {
	if q.After == "" {
		f.until(q.Until)
		return nil
	}
	created, id, err := driver.ParseCursor(q.After)
	if err != nil {
		return err
	}
	if !isID(id) {
		return &alerting.InvalidError{Field: "Query.After", Err: errors.New("is a cursor of another store")}
	}
	if !q.Until.IsZero() && !created.Before(q.Until) {
		f.until(q.Until)
		return nil
	}
	f.add(`(created_at, id) < (#, #)`, moment(created), id)
	return nil
}

// add adds a condition. Each # in it is replaced by the parameter for the next value.
func (f *filter) add(condition string, values ...any) {
	f.conditions = append(f.conditions, f.expression(condition, values...))
}

// expression replaces each # in sql by the parameter for the next value.
func (f *filter) expression(sql string, values ...any) string {
	for _, v := range values {
		f.args = append(f.args, v)
		sql = strings.Replace(sql, "#", "$"+strconv.Itoa(len(f.args)), 1)
	}
	return sql
}

func (f *filter) where() string {
	return ` WHERE ` + strings.Join(f.conditions, ` AND `)
}

// moment rounds t up to whole microseconds, which is the precision of the server, and
// limits it to years that the server can represent.
func moment(t time.Time) time.Time {
	if m := t.Truncate(time.Microsecond); m.Before(t) {
		t = m.Add(time.Microsecond)
	}
	switch t = t.UTC(); {
	case t.Year() < 0:
		return time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > 9999:
		return time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return t
}
