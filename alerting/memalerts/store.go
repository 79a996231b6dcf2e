package memalerts

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Options change what a [Store] does. The zero value of a field is its
// documented default.
type Options struct {
	// MaxAlerts is the number of alerts kept per organization. Opening one more
	// gives up the oldest closed alert; open ones are kept even above it.
	// Defaults to 10,000; -1 means no limit.
	MaxAlerts int
	// MaxNotifications is the number of notifications that may wait or be dead
	// letters, per organization. Further ones displace the oldest. Defaults to
	// 1,000.
	MaxNotifications int
}

// A Store is an [alerting.Store] in memory. It is safe for concurrent use.
//
// One mutex guards it all: an occurrence takes a fraction of a microsecond, and
// only events that qualify come here.
type Store struct {
	maxAlerts        int
	maxNotifications int
	defaults         *alerting.Policy

	mu            sync.Mutex
	organizations map[string]*organization
	stamp         time.Time // the last one given out
	evicted       int64
	parcels       int64 // notifications so far
	claims        int64 // calls of ClaimNotifications so far
	dropped       int64 // notifications that a bound gave up
	slab          []monitor.Disposition
}

var _ alerting.Store = (*Store)(nil)

// New returns an empty store. Options may be nil.
func New(o *Options) *Store {
	s := &Store{
		maxAlerts:        10_000,
		maxNotifications: 1000,
		defaults:         alerting.DefaultPolicy(),
		organizations:    map[string]*organization{},
	}
	if o != nil && o.MaxAlerts != 0 {
		s.maxAlerts = o.MaxAlerts
	}
	if o != nil && o.MaxNotifications > 0 {
		s.maxNotifications = o.MaxNotifications
	}
	return s
}

// Evicted returns how many closed alerts were given up for newer ones.
func (s *Store) Evicted() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.evicted
}

// now returns the time in whole microseconds, later than every time it returned
// before: alerts are sorted by it.
func (s *Store) now() time.Time {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(s.stamp) {
		now = s.stamp.Add(time.Microsecond)
	}
	s.stamp = now
	return now
}

// StoreOccurrences stores occurrences: all of them or, with an error, none. Each
// alert knows at least the last 1,024 event keys that it counted.
func (s *Store) StoreOccurrences(_ context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	for i, o := range os {
		if err := alerting.ValidateOccurrence(o); err != nil {
			return nil, fmt.Errorf("memalerts: store occurrences: number %d: %w", i, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ds := s.dispositions(len(os))
	for i, o := range os {
		ds[i] = s.store(o)
	}
	return ds, nil
}

// dispositions returns room for n. It comes out of a slab that is never reused,
// so that the caller may keep it and a repeat costs far less than an allocation.
func (s *Store) dispositions(n int) []monitor.Disposition {
	const slab = 64
	if len(s.slab) < n {
		s.slab = make([]monitor.Disposition, max(n, slab))
	}
	ds := s.slab[:n:n]
	s.slab = s.slab[n:]
	return ds
}

func (s *Store) store(o *monitor.Occurrence) monitor.Disposition {
	org, now := s.organization(o.Finding.OrganizationID), s.now()
	rec, stored := org.current[o.Fingerprint], monitor.StoredRepeat
	switch {
	case rec != nil && rec.keys.contains(o.EventKey):
		return monitor.Disposition{AlertID: rec.alert.ID, Stored: monitor.StoredBefore}
	case rec != nil && rec.alert.Status.Open():
		severity := rec.alert.Severity
		alerting.Join(rec.alert, o, now)
		if rec.alert.Severity != severity {
			org.setTimer(rec, org.policy.StartTimer(rec.alert))
		}
	default:
		for s.maxAlerts > 0 && len(org.alerts) >= s.maxAlerts && s.evict(org) {
		}
		rec, stored = org.open(o, now), monitor.StoredNew
	}
	rec.keys.add(o.EventKey)
	d := monitor.Disposition{AlertID: rec.alert.ID, Stored: stored, Notify: org.policy.Notify(rec.notified, o.LastSeen)}
	if d.Notify == monitor.NotifyDue {
		rec.notified = o.LastSeen
		key, reason := alerting.OccurrenceNotification(rec.alert.ID, o.EventKey, stored)
		s.notify(org, rec, key, reason, nil)
	}
	return d
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

// Acknowledge implements [alerting.Store].
func (s *Store) Acknowledge(_ context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return s.change(ref, monitor.AlertAcknowledged, by, note)
}

// Resolve implements [alerting.Store].
func (s *Store) Resolve(_ context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return s.change(ref, monitor.AlertResolved, by, note)
}

// Dismiss implements [alerting.Store].
func (s *Store) Dismiss(_ context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return s.change(ref, monitor.AlertDismissed, by, note)
}

// Reopen implements [alerting.Store].
func (s *Store) Reopen(_ context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	return s.change(ref, monitor.AlertActive, by, note)
}

func (s *Store) change(ref monitor.AlertRef, to monitor.AlertStatus, by, note string) (*monitor.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	org, rec, err := s.find(ref)
	if err == nil {
		err = s.changeStatus(org, rec, to, ref.Version, by, note, s.now())
	}
	if err != nil {
		return nil, fmt.Errorf("memalerts: make alert %s: %w", to, err)
	}
	return rec.alert.Clone(), nil
}

// find returns the alert and its organization.
func (s *Store) find(ref monitor.AlertRef) (*organization, *record, error) {
	if err := alerting.ValidateOrganization(ref.Organization); err != nil {
		return nil, nil, err
	}
	if org := s.organizations[ref.Organization]; org != nil {
		if rec := org.byID[ref.ID]; rec != nil {
			return org, rec, nil
		}
	}
	return nil, nil, fmt.Errorf("alert %.40q: %w", ref.ID, monitor.ErrNotFound)
}

// Get implements [alerting.Store].
func (s *Store) Get(_ context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, rec, err := s.find(ref)
	if err != nil {
		return nil, fmt.Errorf("memalerts: get alert: %w", err)
	}
	return rec.alert.Clone(), nil
}

// History implements [alerting.Store].
func (s *Store) History(_ context.Context, ref monitor.AlertRef) ([]alerting.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, rec, err := s.find(ref)
	if err != nil {
		return nil, fmt.Errorf("memalerts: read history: %w", err)
	}
	return slices.Clone(rec.history), nil
}

// Purge implements [alerting.Store].
func (s *Store) Purge(_ context.Context, name string, before time.Time) (int, error) {
	if err := alerting.ValidateOrganization(name); err != nil {
		return 0, fmt.Errorf("memalerts: purge alerts: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if org := s.organizations[name]; org != nil {
		return org.purge(before), nil
	}
	return 0, nil
}
