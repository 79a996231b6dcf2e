package memalerts

import (
	"context"
	"fmt"

	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// StoreOccurrences implements [driver.Store]. Each alert remembers at least the last
// 1,024 event keys that it has counted, so that older ones could be counted again.
func (s *Store) StoreOccurrences(_ context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	for i, o := range os {
		if err := o.Validate(); err != nil {
			return nil, fmt.Errorf("number %d: %w", i, err)
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

// dispositions returns a slice of length n. It is cut from a slab that is never
// reused, so that the caller may keep it and a repeat rarely allocates.
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
		driver.Join(rec.alert, o, now)
		if rec.alert.Severity != severity {
			org.setTimer(rec, org.policy.StartTimer(rec.alert))
		}
	default:
		s.evict(org)
		rec, stored = org.open(o, now), monitor.StoredNew
	}
	rec.keys.add(o.EventKey)
	d := monitor.Disposition{AlertID: rec.alert.ID, Stored: stored, Notify: org.policy.Notify(rec.notified, o.LastSeen, now)}
	if d.Notify == monitor.NotifyDue {
		key, reason := driver.OccurrenceNotification(rec.alert.ID, o.EventKey, rec.notified.IsZero())
		rec.notified = driver.Notified(o.LastSeen, now)
		s.notify(org, rec, key, reason, nil)
	}
	return d
}

// evict makes room for one alert if there are closed ones.
func (s *Store) evict(org *organization) {
	for s.maxAlerts > 0 && len(org.byID) >= s.maxAlerts {
		waited, ok := org.evict()
		if !ok {
			return
		}
		s.evicted++
		s.dropped[driver.DroppedTooMany] += waited
	}
}
