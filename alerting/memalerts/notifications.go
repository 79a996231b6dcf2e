package memalerts

import (
	"cmp"
	"context"
	"maps"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
)

// ClaimNotifications implements [driver.Outbox].
func (s *Store) ClaimNotifications(
	ctx context.Context, route string, routes []alerting.Route, paused []string, limit int, lease time.Duration,
) (claimed []*alerting.Notification, err error) {
	now := time.Now()
	s.route(ctx, routes, now)
	left := map[string]bool{}
	for _, name := range paused {
		left[name] = true
	}
	for len(claimed) < limit {
		name, due := s.registry.nextOn(route, now, left)
		if !due {
			break
		}
		org := s.hold(name)
		if org == nil {
			continue
		}
		if n := org.outbox.claim(route, now, lease); n != nil {
			claimed = append(claimed, n.handOut())
		}
		s.release(ctx, org)
	}
	return claimed, nil
}

// route puts all notifications without a route on the routes that they take.
func (s *Store) route(ctx context.Context, routes []alerting.Route, now time.Time) {
	for {
		name, due := s.registry.nextUnrouted(now)
		if !due {
			return
		}
		if org := s.hold(name); org != nil {
			org.route(routes, now)
			s.release(ctx, org)
		}
	}
}

// SettleNotifications implements [driver.Outbox].
func (s *Store) SettleNotifications(ctx context.Context, ds []alerting.Delivery) error {
	for i := range ds {
		if org := s.hold(ds[i].Notification.Alert.OrganizationID); org != nil {
			org.outbox.settle(&ds[i], time.Now())
			s.release(ctx, org)
		}
	}
	return nil
}

// A deadLetter is a notification, and the copy that the caller gets.
type deadLetter struct {
	*notification
	given *alerting.Notification
}

// DeadLetters implements [driver.Outbox].
func (s *Store) DeadLetters(ctx context.Context, q alerting.DeadLetterQuery) (ns []*alerting.Notification, err error) {
	var page []deadLetter
	oldest := func(a, b deadLetter) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.Route, b.Route))
	}
	for org := range s.each(ctx, q.Organization) {
		for n := range org.outbox.all(org.outbox.byAge.Front()) {
			if n.dead && (q.Route == "" || q.Route == n.Route) {
				page, _ = insert(page, deadLetter{notification: n}, q.Limit, oldest, func(d deadLetter) deadLetter {
					return deadLetter{d.notification, d.handOut()}
				})
			}
		}
	}
	for _, d := range page {
		ns = append(ns, d.given)
	}
	return ns, nil
}

// Redrive implements [driver.Outbox].
func (s *Store) Redrive(ctx context.Context, organization, route string) (redriven int, err error) {
	for org := range s.each(ctx, organization) {
		redriven += org.outbox.redrive(route, s.clock.now(), time.Now())
	}
	return redriven, nil
}

// Backlog implements [driver.Outbox].
func (s *Store) Backlog(ctx context.Context) (alerting.Backlog, error) {
	b := alerting.Backlog{Volatile: true}
	for org := range s.each(ctx, alerting.AllOrganizations) {
		b.Dead += org.outbox.dead
		b.Waiting += len(org.outbox.byKey) - org.outbox.dead
		if at := org.outbox.oldest(); b.OldestAt.IsZero() || !at.IsZero() && at.Before(b.OldestAt) {
			b.OldestAt = at
		}
	}
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	b.Dropped = maps.Clone(s.registry.lost.dropped)
	return b, nil
}
