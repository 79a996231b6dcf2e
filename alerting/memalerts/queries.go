package memalerts

import (
	"context"
	"slices"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// Get implements [driver.Store].
func (s *Store) Get(_ context.Context, ref monitor.AlertRef) (*monitor.Alert, []alerting.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, rec, err := s.find(ref)
	if err != nil {
		return nil, nil, err
	}
	return rec.alert.Clone(), slices.Clone(rec.history), nil
}

// List implements [driver.Store].
func (s *Store) List(_ context.Context, q alerting.Query) ([]*monitor.Alert, error) {
	var after *monitor.Alert
	if q.After != "" {
		created, id, err := driver.ParseCursor(q.After)
		if err != nil {
			return nil, err
		}
		after = &monitor.Alert{CreatedAt: created, ID: id}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var page []*monitor.Alert
	for org := range s.scope(q.Organization) {
		page = org.appendPage(page, &q, after)
	}
	if q.Organization == alerting.AllOrganizations {
		slices.SortFunc(page, driver.Newest)
		page = page[:min(len(page), q.Limit)]
	}
	for i, a := range page {
		page[i] = a.Clone()
	}
	return page, nil
}

// appendPage appends the organization's page, newest first.
func (o *organization) appendPage(page []*monitor.Alert, q *alerting.Query, after *monitor.Alert) []*monitor.Alert {
	older := len(o.alerts)
	if after != nil {
		older, _ = slices.BinarySearchFunc(o.alerts, after, func(rec *record, after *monitor.Alert) int {
			return -driver.Newest(rec.alert, after)
		})
	}
	full := len(page) + q.Limit
	for _, rec := range slices.Backward(o.alerts[:older]) {
		if len(page) == full || rec.alert.CreatedAt.Before(q.Since) {
			break
		}
		if !rec.gone && driver.Matches(q, rec.alert) {
			page = append(page, rec.alert)
		}
	}
	return page
}

// Count implements [driver.Store].
func (s *Store) Count(_ context.Context, q alerting.Query) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for org := range s.scope(q.Organization) {
		for _, rec := range org.byID {
			if driver.Matches(&q, rec.alert) {
				n++
			}
		}
	}
	return n, nil
}

// Statistics implements [driver.Store].
func (s *Store) Statistics(_ context.Context, q alerting.StatisticsQuery) (*alerting.Statistics, error) {
	stats := driver.NewStatistics(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	for org := range s.scope(q.Organization) {
		for _, rec := range org.byID {
			driver.CountAlerts(stats, rec.alert, 1)
			driver.CountTrends(stats, q, rec.alert)
		}
	}
	return stats, nil
}
