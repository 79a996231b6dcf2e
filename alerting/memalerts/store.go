package memalerts

import (
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// Options change what a [Store] does. The zero value of a field is its
// documented default.
type Options struct {
	// MaxAlerts is the number of alerts kept per organization. Opening one more
	// evicts the oldest closed alert. Open alerts are kept even above it. Defaults
	// to 10,000; -1 means no limit.
	MaxAlerts int
	// MaxNotifications is the number of notifications that may wait or be dead
	// letters, per organization. Further ones displace the oldest. Defaults to
	// 1,000.
	MaxNotifications int
}

// A Store is a [driver.Store] in memory. It is safe for concurrent use.
//
// One mutex guards everything: an occurrence takes a fraction of a microsecond, and
// only events that qualify come here.
type Store struct {
	maxAlerts        int
	maxNotifications int
	defaults         *driver.Policy

	mu            sync.Mutex
	organizations map[string]*organization
	stamp         time.Time // the last one given out
	evicted       int64
	notifications int64 // so far
	claims        int64 // calls of ClaimNotifications so far
	dropped       map[string]int64
	slab          []monitor.Disposition
}

var _ driver.Store = (*Store)(nil)

// New returns an empty store. Options may be nil.
func New(o *Options) *Store {
	s := &Store{
		maxAlerts:        10_000,
		maxNotifications: 1000,
		defaults:         driver.DefaultPolicy(),
		organizations:    map[string]*organization{},
		dropped:          map[string]int64{},
	}
	if o != nil && o.MaxAlerts != 0 {
		s.maxAlerts = o.MaxAlerts
	}
	if o != nil && o.MaxNotifications > 0 {
		s.maxNotifications = o.MaxNotifications
	}
	return s
}

// Evicted returns how many closed alerts were evicted to make room for newer ones.
func (s *Store) Evicted() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.evicted
}

// now returns the time in whole microseconds, later than every time it returned
// before, since alerts are sorted by it.
func (s *Store) now() time.Time {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(s.stamp) {
		now = s.stamp.Add(time.Microsecond)
	}
	s.stamp = now
	return now
}

// organization returns a tenant's part, which it makes when it is first needed.
func (s *Store) organization(name string) *organization {
	org := s.organizations[name]
	if org == nil {
		org = newOrganization(s.defaults)
		s.organizations[name] = org
	}
	return org
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

// find returns the alert and its organization.
func (s *Store) find(ref monitor.AlertRef) (*organization, *record, error) {
	if org := s.organizations[ref.Organization]; org != nil {
		if rec := org.byID[ref.ID]; rec != nil {
			return org, rec, nil
		}
	}
	return nil, nil, fmt.Errorf("alert %.40q: %w", ref.ID, monitor.ErrNotFound)
}
