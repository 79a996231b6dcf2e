package memalerts

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// List implements [alerting.Store]. The page is what the store held when the
// iteration began.
func (s *Store) List(_ context.Context, q alerting.Query) iter.Seq2[*monitor.Alert, error] {
	return func(yield func(*monitor.Alert, error) bool) {
		page, err := s.page(q)
		if err != nil {
			yield(nil, fmt.Errorf("memalerts: list alerts: %w", err))
			return
		}
		for _, a := range page {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// page returns copies of the alerts on a page.
func (s *Store) page(q alerting.Query) ([]*monitor.Alert, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	var after *monitor.Alert
	if q.After != "" {
		created, id, err := alerting.ParseCursor(q.After)
		if err != nil {
			return nil, err
		}
		after = &monitor.Alert{CreatedAt: created, ID: id}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var page []*monitor.Alert
	for org := range s.scope(q.Organization) {
		page = org.appendPage(page, q, after)
	}
	if q.Organization == alerting.AllOrganizations {
		slices.SortFunc(page, alerting.Newest)
		page = page[:min(len(page), q.PageSize())]
	}
	for i, a := range page {
		page[i] = a.Clone()
	}
	return page, nil
}

// scope returns one organization or all of them.
func (s *Store) scope(name string) iter.Seq[*organization] {
	return func(yield func(*organization) bool) {
		if name != alerting.AllOrganizations {
			if org := s.organizations[name]; org != nil {
				yield(org)
			}
			return
		}
		for _, org := range s.organizations {
			if !yield(org) {
				return
			}
		}
	}
}

// appendPage appends the organization's page, newest first.
func (o *organization) appendPage(page []*monitor.Alert, q alerting.Query, after *monitor.Alert) []*monitor.Alert {
	older := len(o.alerts)
	if after != nil {
		older, _ = slices.BinarySearchFunc(o.alerts, after, func(rec *record, after *monitor.Alert) int {
			return -alerting.Newest(rec.alert, after)
		})
	}
	full := len(page) + q.PageSize()
	for _, rec := range slices.Backward(o.alerts[:older]) {
		if len(page) == full || rec.alert.CreatedAt.Before(q.Since) {
			break
		}
		if q.Matches(rec.alert) {
			page = append(page, rec.alert)
		}
	}
	return page
}

// Count implements [alerting.Store]. A query by organization and status takes
// constant time.
func (s *Store) Count(_ context.Context, q alerting.Query) (int, error) {
	if err := q.Validate(); err != nil {
		return 0, fmt.Errorf("memalerts: count alerts: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for org := range s.scope(q.Organization) {
		n += org.count(q)
	}
	return n, nil
}

func (o *organization) count(q alerting.Query) int {
	n := 0
	if len(q.Severities)+len(q.Types)+len(q.Sources)+len(q.Rules) == 0 && q.Since.IsZero() && q.Until.IsZero() {
		for status, count := range o.byStatus {
			if len(q.Statuses) == 0 || slices.Contains(q.Statuses, status) {
				n += count
			}
		}
		return n
	}
	for _, rec := range o.alerts {
		if q.Matches(rec.alert) {
			n++
		}
	}
	return n
}

// Statistics implements [alerting.Store].
func (s *Store) Statistics(_ context.Context, q alerting.StatisticsQuery) (*alerting.Statistics, error) {
	if err := q.Validate(); err != nil {
		return nil, fmt.Errorf("memalerts: compute statistics: %w", err)
	}
	stats := alerting.NewStatistics(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	for org := range s.scope(q.Organization) {
		for _, rec := range org.alerts {
			stats.Add(q, rec.alert)
		}
	}
	return stats, nil
}
