package memalerts

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
)

// A parcel is a notification in the outbox of an organization.
type parcel struct {
	alerting.Notification // without Alert
	rec                   *record
	number                int64 // by age, over all organizations
	// due is when it can be claimed, a time of the machine: that the clock is
	// set does not change how long a lease lasts.
	due  time.Time
	dead bool
}

// notify puts a notification into the organization's outbox.
func (s *Store) notify(org *organization, rec *record, key string, reason alerting.Reason, targets []string) {
	s.parcels++
	org.outbox = append(org.outbox, &parcel{
		Notification: alerting.Notification{Key: key, Reason: reason, CreatedAt: s.stamp, Targets: targets},
		rec:          rec, number: s.parcels, due: time.Now(),
	})
	s.trim(org)
}

// trim gives up the oldest notifications of an outbox that holds too many.
func (s *Store) trim(org *organization) {
	if excess := len(org.outbox) - s.maxNotifications; excess > 0 {
		org.outbox = slices.Delete(org.outbox, 0, excess)
		s.dropped += int64(excess)
	}
}

// handOut returns what whoever claims a parcel or looks at it is given.
func (p *parcel) handOut() *alerting.Notification {
	n := p.Notification
	n.Alert = p.rec.alert.Clone()
	n.Targets = slices.Clone(n.Targets)
	return &n
}

// ClaimNotifications implements [alerting.Outbox].
func (s *Store) ClaimNotifications(
	_ context.Context, route string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.claims++
	var due []*parcel
	for _, org := range s.organizations {
		for _, p := range org.outbox {
			if p.Route != route || p.dead || p.rec.seen == s.claims {
				continue
			}
			p.rec.seen = s.claims // what else waits of the alert is newer
			if !p.due.After(now) {
				due = insert(due, p, limit)
			}
		}
	}
	var claimed []*alerting.Notification
	for _, p := range due {
		p.due = now.Add(lease)
		p.Attempts++
		claimed = append(claimed, p.handOut())
	}
	return claimed, nil
}

// insert adds a parcel to those that have been due longest, which are sorted and
// at most limit.
func insert(longest []*parcel, p *parcel, limit int) []*parcel {
	i, _ := slices.BinarySearchFunc(longest, p, func(a, b *parcel) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.number, b.number))
	})
	if i >= limit {
		return longest
	}
	return slices.Insert(longest[:min(len(longest), limit-1)], i, p)
}

// SettleNotifications implements [alerting.Outbox].
func (s *Store) SettleNotifications(_ context.Context, settlements []alerting.Settlement) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range settlements {
		s.settle(&settlements[i])
	}
	return nil
}

func (s *Store) settle(st *alerting.Settlement) {
	n := st.Notification
	org := s.organizations[n.Alert.OrganizationID]
	if org == nil {
		return
	}
	i := slices.IndexFunc(org.outbox, func(p *parcel) bool { return p.Route == n.Route && p.Key == n.Key })
	if i < 0 {
		return
	}
	p := org.outbox[i]
	if p.Attempts != n.Attempts && st.Outcome != alerting.OutcomeDelivered {
		return
	}
	switch st.Outcome {
	case alerting.OutcomeDelivered:
		org.outbox = slices.Delete(org.outbox, i, i+1)
	case alerting.OutcomeRouted:
		var routed []*parcel
		for _, route := range st.Routes {
			r := *p
			r.Route, r.Attempts, r.due = route, 0, time.Now()
			routed = append(routed, &r)
		}
		org.outbox = slices.Replace(org.outbox, i, i+1, routed...)
		s.trim(org)
	case alerting.OutcomeRetry:
		p.due, p.Failure = time.Now().Add(st.RetryAfter), st.Failure
	case alerting.OutcomeDead:
		p.dead, p.Failure = true, st.Failure
	}
}

// DeadLetters implements [alerting.Outbox].
func (s *Store) DeadLetters(_ context.Context, q alerting.DeadLetterQuery) iter.Seq2[*alerting.Notification, error] {
	return func(yield func(*alerting.Notification, error) bool) {
		if err := q.Validate(); err != nil {
			yield(nil, fmt.Errorf("memalerts: list dead letters: %w", err))
			return
		}
		for _, n := range s.deadLetters(q) {
			if !yield(n, nil) {
				return
			}
		}
	}
}

func (s *Store) deadLetters(q alerting.DeadLetterQuery) []*alerting.Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	var dead []*parcel
	for org := range s.scope(q.Organization) {
		for _, p := range org.outbox {
			if p.dead && (q.Route == "" || q.Route == p.Route) {
				dead = append(dead, p)
			}
		}
	}
	slices.SortFunc(dead, func(a, b *parcel) int { return cmp.Compare(a.number, b.number) })
	var page []*alerting.Notification
	for _, p := range dead[:min(q.PageSize(), len(dead))] {
		page = append(page, p.handOut())
	}
	return page
}

// Redrive implements [alerting.Outbox].
func (s *Store) Redrive(_ context.Context, organization, route string) (int, error) {
	q := alerting.DeadLetterQuery{Organization: organization, Route: route}
	if err := q.Validate(); err != nil {
		return 0, fmt.Errorf("memalerts: redrive: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, n := s.now(), 0
	for org := range s.scope(organization) {
		for _, p := range org.outbox {
			if p.dead && p.Route == route {
				p.dead, p.Attempts, p.due, p.CreatedAt = false, 0, time.Now(), now
				n++
			}
		}
	}
	return n, nil
}

// Backlog implements [alerting.Outbox].
func (s *Store) Backlog(context.Context) (alerting.Backlog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := alerting.Backlog{Dropped: s.dropped, Volatile: true}
	for _, org := range s.organizations {
		for _, p := range org.outbox {
			switch {
			case p.dead:
				b.Dead++
				continue
			case b.OldestAt.IsZero() || p.CreatedAt.Before(b.OldestAt):
				b.OldestAt = p.CreatedAt
			}
			b.Waiting++
		}
	}
	return b, nil
}
