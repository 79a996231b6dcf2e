package memalerts

import (
	"context"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// walk calls f with the alerts of one organization or of all that were created before
// a time, or with all of them if it is zero. Those of an organization come newest
// first; f returns false to leave out the rest of them. The organization is released
// for a moment after each chunk. So f sees an alert once, and as it is then.
func (s *Store) walk(ctx context.Context, name string, before time.Time, f func(*organization, *record) bool) {
	for _, org := range s.registry.list(name) {
		for at, more := before, true; more && org.hold(); {
			at, more = org.walk(at, func(rec *record) bool { return f(org, rec) })
			s.release(ctx, org)
		}
	}
}

// insert adds a copy of an element to a sorted page of limited length, and reports
// whether it is among the first.
func insert[E any](page []E, e E, limit int, order func(a, b E) int, copyOf func(E) E) ([]E, bool) {
	i, _ := slices.BinarySearchFunc(page, e, order)
	if i >= limit {
		return page, false
	}
	return slices.Insert(page[:min(len(page), limit-1)], i, copyOf(e)), true
}

// Get implements [driver.Store].
func (s *Store) Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, []alerting.Change, error) {
	org, rec, err := s.holdAlert(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	defer s.release(ctx, org)
	return rec.alert.Clone(), slices.Clone(rec.history), nil
}

// Evidence implements [driver.Store].
func (s *Store) Evidence(ctx context.Context, ref monitor.AlertRef) ([]string, error) {
	org, rec, err := s.holdAlert(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer s.release(ctx, org)
	return slices.Clone(rec.evidence.texts), nil
}

// List implements [driver.Store].
func (s *Store) List(ctx context.Context, q alerting.Query) ([]*monitor.Alert, error) {
	var before time.Time
	if q.After != "" {
		var err error
		if before, _, err = driver.ParseCursor(q.After); err != nil {
			return nil, err
		}
	}
	var page []*monitor.Alert
	s.walk(ctx, q.Organization, before, func(_ *organization, rec *record) (more bool) {
		if rec.created.Before(q.Since) {
			return false
		}
		if !driver.Matches(&q, rec.alert) {
			return true
		}
		page, more = insert(page, rec.alert, q.Limit, driver.Newest, (*monitor.Alert).Clone)
		return more
	})
	return page, nil
}

// Count implements [driver.Store].
func (s *Store) Count(ctx context.Context, q alerting.Query) (n int, err error) {
	s.walk(ctx, q.Organization, time.Time{}, func(_ *organization, rec *record) bool {
		if driver.Matches(&q, rec.alert) {
			n++
		}
		return true
	})
	return n, nil
}

// Statistics implements [driver.Store].
func (s *Store) Statistics(ctx context.Context, q alerting.StatisticsQuery) (*alerting.Statistics, error) {
	stats := driver.NewStatistics(q)
	s.walk(ctx, q.Organization, time.Time{}, func(_ *organization, rec *record) bool {
		driver.CountAlerts(stats, rec.alert, 1)
		driver.CountTrends(stats, q, rec.alert)
		return true
	})
	return stats, nil
}

// Purge implements [driver.Store].
func (s *Store) Purge(ctx context.Context, name string, before time.Time) (purged int, err error) {
	s.walk(ctx, name, time.Time{}, func(org *organization, rec *record) bool {
		if !rec.alert.Status.Open() && rec.alert.ResolvedAt.Before(before) {
			org.forget(rec)
			purged++
		}
		return true
	})
	return purged, nil
}

// Erase implements [driver.Store].
func (s *Store) Erase(ctx context.Context, name, principal string) (e alerting.Erased, err error) {
	s.walk(ctx, name, time.Time{}, func(org *organization, rec *record) bool {
		if rec.alert.Finding.Key == principal {
			org.forget(rec)
			e.Alerts++
			return true
		}
		found, events, failed := org.erase(rec, principal)
		e.Evidence += events
		if found {
			e.Changed++
		}
		err = failed
		return failed == nil
	})
	return e, err
}
