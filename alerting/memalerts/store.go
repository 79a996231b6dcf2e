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

// Options configure a [Store]. The zero value of a field is its documented default.
type Options struct {
	// MaxAlerts is the number of alerts kept per organization. Opening one more
	// evicts the closed alert with the earliest CreatedAt. Open alerts are never
	// evicted, even above the limit. Defaults to 10,000; -1 means no limit.
	MaxAlerts int
	// MaxNotifications is the number of notifications, including dead letters, kept
	// per organization. Further ones replace the oldest. Defaults to 1,000.
	MaxNotifications int
}

// A Store is a [driver.Store] in memory. It is safe for concurrent use.
//
// A single mutex is enough: an operation on an occurrence takes less than a
// microsecond, and only qualifying events get here.
type Store struct {
	maxAlerts        int
	maxNotifications int
	defaults         *driver.Policy

	mu            sync.Mutex
	organizations map[string]*organization
	stamp         time.Time // the last result of now
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

// Evicted returns the number of closed alerts that were evicted.
func (s *Store) Evicted() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.evicted
}

// now returns the time in whole microseconds. Each result is later than the one
// before, since alerts are sorted by it.
func (s *Store) now() time.Time {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(s.stamp) {
		now = s.stamp.Add(time.Microsecond)
	}
	s.stamp = now
	return now
}

// organization returns the data of a tenant, which it creates if necessary.
func (s *Store) organization(name string) *organization {
	org := s.organizations[name]
	if org == nil {
		org = newOrganization(s.defaults)
		s.organizations[name] = org
	}
	return org
}

// scope yields one organization, if it exists, or all of them.
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

// find returns the alert and its organization, or a [monitor.ErrNotFound].
func (s *Store) find(ref monitor.AlertRef) (*organization, *record, error) {
	if org := s.organizations[ref.Organization]; org != nil {
		if rec := org.byID[ref.ID]; rec != nil {
			return org, rec, nil
		}
	}
	return nil, nil, fmt.Errorf("alert %.40q: %w", ref.ID, monitor.ErrNotFound)
}
