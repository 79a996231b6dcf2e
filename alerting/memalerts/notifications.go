package memalerts

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
)

// notify adds a notification to the organization's outbox.
func (s *Store) notify(org *organization, rec *record, key string, reason alerting.Reason, targets []string) {
	s.notifications++
	org.outbox.add(&notification{
		Notification: alerting.Notification{Key: key, Reason: reason, CreatedAt: s.stamp, Targets: targets},
		record:       rec, number: s.notifications, due: time.Now(),
	}, nil)
	org.unrouted = true
	s.trim(org)
}

// trim drops the oldest notifications of an outbox that exceeds the limit.
func (s *Store) trim(org *organization) {
	if removed := org.outbox.trim(s.maxNotifications); removed > 0 {
		s.dropped[driver.DroppedTooMany] += removed
	}
}

// ClaimNotifications implements [driver.Outbox].
func (s *Store) ClaimNotifications(
	_ context.Context, route string, routes []alerting.Route, paused []string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.claims++
	var due []*notification
	for name, org := range s.organizations {
		s.route(org, routes, now)
		if slices.Contains(paused, name) {
			continue
		}
		for n := range org.outbox.all() {
			if n.dead || n.Route != route || n.record.claim == s.claims {
				continue
			}
			n.record.claim = s.claims // the alert's other notifications are newer
			if !n.due.After(now) {
				due = insert(due, n, limit)
			}
		}
	}
	var claimed []*alerting.Notification
	for _, n := range due {
		n.due = now.Add(lease)
		n.Attempts++
		claimed = append(claimed, n.handOut())
	}
	return claimed, nil
}

// route puts the notifications without a route on the routes that they take.
func (s *Store) route(org *organization, routes []alerting.Route, now time.Time) {
	if !org.unrouted {
		return
	}
	org.unrouted = false
	org.outbox.route(func(n *notification) []string {
		n.Alert = n.record.alert
		names := driver.RoutesOf(&n.Notification, routes, now, s.dropped)
		n.Alert = nil
		return names
	})
	s.trim(org)
}

// insert adds a notification to a sorted list of up to limit notifications, and keeps
// those that have been due longest.
func insert(longest []*notification, n *notification, limit int) []*notification {
	i, _ := slices.BinarySearchFunc(longest, n, func(a, b *notification) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.number, b.number))
	})
	if i >= limit {
		return longest
	}
	return slices.Insert(longest[:min(len(longest), limit-1)], i, n)
}

// SettleNotifications implements [driver.Outbox].
func (s *Store) SettleNotifications(_ context.Context, ds []alerting.Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range ds {
		s.settle(&ds[i])
	}
	return nil
}

func (s *Store) settle(d *alerting.Delivery) {
	org := s.organizations[d.Notification.Alert.OrganizationID]
	if org == nil {
		return
	}
	n := org.outbox.byKey[address{d.Notification.Route, d.Notification.Key}]
	if n == nil || n.Attempts != d.Notification.Attempts && d.Outcome != alerting.OutcomeDelivered {
		return
	}
	switch d.Outcome {
	case alerting.OutcomeDelivered:
		org.outbox.remove(n)
	case alerting.OutcomeRetry:
		n.due, n.Failure = time.Now().Add(d.RetryAfter), d.Notification.Failure
	case alerting.OutcomeDead:
		n.dead, n.Failure = true, d.Notification.Failure
	}
}

// DeadLetters implements [driver.Outbox].
func (s *Store) DeadLetters(_ context.Context, q alerting.DeadLetterQuery) ([]*alerting.Notification, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var dead []*notification
	for org := range s.scope(q.Organization) {
		for _, n := range org.outbox.byKey {
			if n.dead && (q.Route == "" || q.Route == n.Route) {
				dead = append(dead, n)
			}
		}
	}
	slices.SortFunc(dead, func(a, b *notification) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.Route, b.Route))
	})
	var page []*alerting.Notification
	for _, n := range dead[:min(q.Limit, len(dead))] {
		page = append(page, n.handOut())
	}
	return page, nil
}

// Redrive implements [driver.Outbox].
func (s *Store) Redrive(_ context.Context, organization, route string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	created, due, redriven := s.now(), time.Now(), 0
	for org := range s.scope(organization) {
		for _, n := range org.outbox.byKey {
			if n.dead && n.Route == route {
				n.dead, n.Attempts, n.due, n.CreatedAt = false, 0, due, created
				redriven++
			}
		}
	}
	return redriven, nil
}

// Backlog implements [driver.Outbox].
func (s *Store) Backlog(context.Context) (alerting.Backlog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := alerting.Backlog{Dropped: maps.Clone(s.dropped), Volatile: true}
	for _, org := range s.organizations {
		for _, n := range org.outbox.byKey {
			switch {
			case n.dead:
				b.Dead++
				continue
			case b.OldestAt.IsZero() || n.CreatedAt.Before(b.OldestAt):
				b.OldestAt = n.CreatedAt
			}
			b.Waiting++
		}
	}
	return b, nil
}
