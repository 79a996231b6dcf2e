package memalerts

import (
	"fmt"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// An organization holds what belongs to one tenant.
type organization struct {
	alerts []*record // by creation
	byID   map[string]*record
	// current is the open alert of a fingerprint or, if none is open, the one
	// that was open last.
	current  map[monitor.Fingerprint]*record
	byStatus map[monitor.AlertStatus]int
	policy   *alerting.Policy
	outbox   []*parcel // by age
	due      time.Time // when the first timer is, zero for never
}

// A record is an alert and what a store knows of it besides.
type record struct {
	alert    *monitor.Alert
	notified time.Time // event time of the occurrence notified last
	keys     keyMemory
	history  []alerting.Change
	timer    alerting.Timer
	seen     int64 // the claim of notifications that came across it last
	gone     bool  // given up or purged
}

func newOrganization(p *alerting.Policy) *organization {
	return &organization{
		byID:     map[string]*record{},
		current:  map[monitor.Fingerprint]*record{},
		byStatus: map[monitor.AlertStatus]int{},
		policy:   p,
	}
}

func (o *organization) open(occurrence *monitor.Occurrence, now time.Time) *record {
	a, opened := alerting.Open(occurrence, now)
	rec := &record{alert: a, history: []alerting.Change{opened}}
	o.alerts = append(o.alerts, rec)
	o.byID[a.ID] = rec
	o.current[a.Fingerprint] = rec
	o.byStatus[a.Status]++
	o.setTimer(rec, o.policy.StartTimer(a))
	return rec
}

// changeStatus changes the status of an alert, and notifies of that.
func (s *Store) changeStatus(
	o *organization, rec *record, to monitor.AlertStatus, version int64, by, note string, now time.Time,
) error {
	from, current := rec.alert.Status, o.current[rec.alert.Fingerprint]
	if to.Open() && !from.Open() && current != nil && current.alert.Status.Open() {
		return fmt.Errorf("alert %s of the same incident is open: %w", current.alert.ID, monitor.ErrConflict)
	}
	c, err := alerting.ChangeStatus(rec.alert, to, version, by, note, now)
	if err != nil {
		return err
	}
	o.byStatus[from]--
	o.byStatus[to]++
	rec.history = append(rec.history, c)
	switch {
	case to == monitor.AlertActive:
		o.current[rec.alert.Fingerprint] = rec
		o.setTimer(rec, o.policy.StartTimer(rec.alert))
	case !to.Open():
		rec.timer = alerting.Timer{}
	}
	key, reason := alerting.ChangeNotification(rec.alert.ID, &c)
	s.notify(o, rec, key, reason, nil)
	return nil
}

// evict gives up the oldest closed alert, if there is one. What was to be
// notified of it is dropped.
func (s *Store) evict(o *organization) bool {
	if o.byStatus[monitor.AlertResolved]+o.byStatus[monitor.AlertDismissed] == 0 {
		return false
	}
	i := slices.IndexFunc(o.alerts, func(rec *record) bool { return !rec.alert.Status.Open() })
	o.forget(o.alerts[i])
	o.alerts = slices.Delete(o.alerts, i, i+1)
	s.dropped += int64(o.sweep())
	s.evicted++
	return true
}

// purge deletes the alerts that were closed before that time.
func (o *organization) purge(before time.Time) int {
	n := len(o.alerts)
	o.alerts = slices.DeleteFunc(o.alerts, func(rec *record) bool {
		old := !rec.alert.Status.Open() && rec.alert.ResolvedAt.Before(before)
		if old {
			o.forget(rec)
		}
		return old
	})
	o.sweep()
	return n - len(o.alerts)
}

// forget removes an alert from everywhere but the list and the outbox.
func (o *organization) forget(rec *record) {
	rec.gone = true
	a := rec.alert
	delete(o.byID, a.ID)
	if o.current[a.Fingerprint] == rec {
		delete(o.current, a.Fingerprint)
	}
	o.byStatus[a.Status]--
}

// sweep takes the notifications of alerts that are gone out of the outbox, and
// returns how many of them waited.
func (o *organization) sweep() (waited int) {
	o.outbox = slices.DeleteFunc(o.outbox, func(p *parcel) bool {
		if p.rec.gone && !p.dead {
			waited++
		}
		return p.rec.gone
	})
	return waited
}
