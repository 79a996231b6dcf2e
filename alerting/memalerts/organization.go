package memalerts

import (
	"container/heap"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// An organization has the data of one tenant.
type organization struct {
	alerts []*record // by creation time; includes deleted ones until forget compacts it
	byID   map[string]*record
	// current has, by fingerprint, the open alert or, without one, the last that was.
	current  map[monitor.Fingerprint]*record
	closed   closedQueue
	policy   *driver.Policy
	outbox   outbox
	unrouted bool      // a notification in the outbox may have no route
	due      time.Time // when the first timer is due, zero for never
}

func newOrganization(p *driver.Policy) *organization {
	return &organization{
		byID:    map[string]*record{},
		current: map[monitor.Fingerprint]*record{},
		policy:  p,
		outbox:  newOutbox(),
	}
}

// open opens an alert.
func (o *organization) open(occurrence *monitor.Occurrence, now time.Time) *record {
	a, opened := driver.Open(occurrence, now)
	rec := &record{alert: a, history: []alerting.Change{opened}}
	o.alerts = append(o.alerts, rec)
	o.byID[a.ID] = rec
	o.current[a.Fingerprint] = rec
	o.setTimer(rec, o.policy.StartTimer(a))
	return rec
}

// changed updates the organization after the status of an alert has changed.
func (o *organization) changed(rec *record) {
	switch {
	case rec.alert.Status == monitor.AlertActive:
		o.current[rec.alert.Fingerprint] = rec
		o.setTimer(rec, o.policy.StartTimer(rec.alert))
	case !rec.alert.Status.Open():
		rec.timer = driver.Timer{}
		if !rec.closing {
			rec.closing = true
			heap.Push(&o.closed, rec)
		}
	}
}

// evict removes the oldest closed alert, if there is one, and returns how many of its
// notifications were still undelivered.
func (o *organization) evict() (waiting int64, ok bool) {
	for len(o.closed) > 0 {
		rec, _ := heap.Pop(&o.closed).(*record)
		rec.closing = false
		if !rec.gone && !rec.alert.Status.Open() {
			for _, n := range rec.waiting {
				if !n.dead {
					waiting++
				}
			}
			o.forget(rec)
			return waiting, true
		}
	}
	return 0, false
}

// purge deletes the alerts that were closed before the given time.
func (o *organization) purge(before time.Time) (purged int) {
	for _, rec := range o.byID {
		if !rec.alert.Status.Open() && rec.alert.ResolvedAt.Before(before) {
			o.forget(rec)
			purged++
		}
	}
	o.closed = slices.DeleteFunc(o.closed, func(rec *record) bool { return rec.gone })
	heap.Init(&o.closed)
	return purged
}

// forget removes an alert and its notifications.
func (o *organization) forget(rec *record) {
	rec.gone = true
	a := rec.alert
	delete(o.byID, a.ID)
	if o.current[a.Fingerprint] == rec {
		delete(o.current, a.Fingerprint)
	}
	for _, n := range slices.Clone(rec.waiting) {
		o.outbox.remove(n)
	}
	if len(o.alerts) > 2*len(o.byID)+100 {
		o.alerts = slices.DeleteFunc(o.alerts, func(rec *record) bool { return rec.gone })
	}
}

// expect makes RunTimers check the organization at the given time.
func (o *organization) expect(due time.Time) {
	if !due.IsZero() && (o.due.IsZero() || due.Before(o.due)) {
		o.due = due
	}
}

// setTimer sets an alert's timer.
func (o *organization) setTimer(rec *record, t driver.Timer) {
	rec.timer = t
	o.expect(t.Due)
}

// setPolicy replaces the policy and recomputes the timers.
func (o *organization) setPolicy(p *driver.Policy) {
	o.policy = p
	for _, rec := range o.byID {
		if rec.alert.Status.Open() {
			rec.timer.Due = p.Due(rec.alert, rec.timer)
			o.expect(rec.timer.Due)
		}
	}
}
