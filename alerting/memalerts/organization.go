package memalerts

import (
	"container/list"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

const (
	// chunk is the number of alerts that are looked at before an organization is
	// released for a moment.
	chunk = 500
	// few is the number of alerts that are changed until then.
	few = 100
	// knownAfter is the number of occurrences after which an organization is no longer
	// a newcomer.
	knownAfter = 16
)

// limits are those of one organization.
type limits struct{ alerts, notifications int }

// A series has the alerts of one fingerprint.
type series struct {
	open    *record   // may be nil
	closed  []*record // in the order in which they were closed
	alerts  int
	counted eventKeys
}

// An organization has the data of one tenant, and a mutex for it, so that nobody waits
// for work on the data of another.
type organization struct {
	name   string
	limits limits
	number *atomic.Int64 // of the last notification of any organization

	mu      sync.Mutex
	removed bool      // from the registry
	trusted bool      // a person has changed an alert
	heard   int       // number of occurrences
	alerts  []*record // by creation time; includes deleted ones until tidy removes them
	byID    map[string]*record
	series  map[monitor.Fingerprint]*series
	closed  queue[*record] // by creation time
	quiet   *list.List     // of the *record that are open, by UpdatedAt
	timers  queue[*record] // of the open alerts
	policy  *driver.Policy
	saved   time.Time // when the settings were saved, zero if never
	// outdated is the number of the alerts, from the first, whose timers were not
	// computed with this policy.
	outdated int
	outbox   outbox
	bytes    int64 // without the outbox
	lost     losses

	// These belong to the registry.
	index         int
	account       *account
	timed, routed *turn
}

func newOrganization(name string, p *driver.Policy, l limits, number *atomic.Int64) *organization {
	return &organization{
		name:   name,
		limits: l,
		number: number,
		byID:   map[string]*record{},
		series: map[monitor.Fingerprint]*series{},
		closed: queue[*record]{
			before: func(a, b *record) bool { return a.created.Before(b.created) },
			place:  func(r *record) *int { return &r.closed },
		},
		quiet: list.New(),
		timers: queue[*record]{
			before: func(a, b *record) bool { return a.timer.Due.Before(b.timer.Due) },
			place:  func(r *record) *int { return &r.timed },
		},
		policy: p,
		outbox: newOutbox(),
		lost:   newLosses(),
		bytes:  organizationSize,
	}
}

// hold locks the organization, unless it was removed.
func (o *organization) hold() bool {
	o.mu.Lock()
	if o.removed {
		o.mu.Unlock()
	}
	return !o.removed
}

// known reports whether the organization is no newcomer: it had some occurrences, or
// a person works with it.
func (o *organization) known() bool { return o.trusted || o.heard >= knownAfter || !o.saved.IsZero() }

// empty reports whether there is nothing to keep.
func (o *organization) empty() bool { return len(o.byID) == 0 && o.saved.IsZero() }

// size returns the bytes that the organization takes.
func (o *organization) size() int64 { return o.bytes + o.outbox.bytes }

// add adds an occurrence to the open alert of its fingerprint, or opens one.
func (o *organization) add(oc *monitor.Occurrence, now time.Time) monitor.Disposition {
	o.heard++
	var rec *record
	if s := o.series[oc.Fingerprint]; s != nil {
		if counted := s.counted.by(oc.EventKey, now); counted != nil {
			return monitor.Disposition{AlertID: counted.alert.ID, Stored: monitor.StoredBefore}
		}
		rec = s.open
	}
	stored := monitor.StoredRepeat
	if rec != nil {
		o.join(rec, oc, now)
	} else {
		rec, stored = o.open(oc, now), monitor.StoredNew
	}
	keys := &o.series[oc.Fingerprint].counted
	o.bytes -= keys.size()
	o.lost.keys += keys.add(oc.EventKey, rec, now)
	o.bytes += keys.size()
	o.grow(rec, rec.evidence.add(oc.Evidence))

	notify, timer := o.policy.Notify(rec.alert, rec.timer, oc.LastSeen, now)
	if notify == monitor.NotifyDue {
		key, reason := driver.OccurrenceNotification(rec.alert.ID, oc.EventKey, rec.timer.Notified.IsZero())
		o.setTimer(rec, timer)
		o.notify(rec, key, reason, nil, now)
	}
	return monitor.Disposition{AlertID: rec.alert.ID, Stored: stored, Notify: notify}
}

// join adds an occurrence to an open alert.
func (o *organization) join(rec *record, oc *monitor.Occurrence, now time.Time) {
	severity := rec.alert.Severity
	driver.Join(rec.alert, oc, now)
	o.quiet.MoveToBack(rec.quiet)
	if rec.alert.Severity != severity {
		o.setTimer(rec, o.policy.StartTimer(rec.alert, rec.timer, now))
	}
}

// open opens an alert. If there are too many, it first evicts closed ones.
func (o *organization) open(oc *monitor.Occurrence, now time.Time) *record {
	for o.limits.alerts > 0 && len(o.byID) >= o.limits.alerts && o.evictClosed() {
	}
	a, opened := driver.Open(oc, now)
	s := o.series[a.Fingerprint]
	if s == nil {
		s = &series{}
		o.series[a.Fingerprint] = s
	}
	rec := &record{created: a.CreatedAt, alert: a, history: []alerting.Change{opened}}
	o.alerts = append(o.alerts, rec)
	o.byID[a.ID] = rec
	s.alerts++
	var earlier []driver.Earlier
	if o.policy.Damps() {
		earlier = s.earlier()
	}
	o.begin(rec, o.policy.Opened(a, earlier, now))
	rec.bytes += sizeOfAlert(a)
	o.bytes += rec.bytes
	return rec
}

// seriesOf returns the series of an alert.
func (o *organization) seriesOf(rec *record) *series { return o.series[rec.alert.Fingerprint] }

// begin makes an alert the open one of its series.
func (o *organization) begin(rec *record, t driver.Timer) {
	o.seriesOf(rec).open = rec
	rec.quiet = o.quiet.PushBack(rec)
	o.closed.remove(rec)
	o.setTimer(rec, t)
}

// earlier returns what the policy must know of the closed alerts.
func (s *series) earlier() (all []driver.Earlier) {
	for _, rec := range slices.Backward(s.closed[max(0, len(s.closed)-driver.MaxEarlier):]) {
		all = append(all, driver.Earlier{OpenedAt: rec.created, Severity: rec.alert.Severity, Notified: !rec.timer.Notified.IsZero()})
	}
	return all
}

// drop removes an alert from those that are closed.
func (s *series) drop(rec *record) {
	if i := slices.Index(s.closed, rec); i >= 0 {
		s.closed = slices.Delete(s.closed, i, i+1)
	}
}

// end undoes begin, except that it does not queue the alert as a closed one.
func (o *organization) end(rec *record) {
	o.seriesOf(rec).open = nil
	o.quiet.Remove(rec.quiet)
	rec.quiet = nil
	o.setTimer(rec, driver.Timer{Notified: rec.timer.Notified})
}

// setTimer sets an alert's timer.
func (o *organization) setTimer(rec *record, t driver.Timer) {
	rec.timer = t
	if t.Due.IsZero() {
		o.timers.remove(rec)
	} else {
		o.timers.set(rec)
	}
}

// notify adds a notification to the outbox.
func (o *organization) notify(rec *record, key string, reason alerting.Reason, targets []string, now time.Time) {
	o.outbox.add(&notification{
		Notification: alerting.Notification{Key: key, Reason: reason, CreatedAt: now, Targets: targets},
		record:       rec, number: o.number.Add(1), due: time.Now(),
	}, nil)
	o.trim()
}

// trim drops the oldest notifications if there are too many.
func (o *organization) trim() {
	if removed := o.outbox.trim(o.limits.notifications); removed > 0 {
		o.lost.dropped[driver.DroppedTooMany] += removed
	}
}

// change changes the status of an alert and creates the notification.
func (o *organization) change(rec *record, to monitor.AlertStatus, version int64, by, note string, now time.Time) error {
	from, damped := rec.alert.Status, o.policy.Damped(rec.timer, now)
	if open := o.seriesOf(rec).open; to.Open() && !from.Open() && open != nil {
		return fmt.Errorf("alert %s of the same fingerprint is open: %w", open.alert.ID, monitor.ErrConflict)
	}
	c, err := driver.ChangeStatus(rec.alert, to, version, strings.Clone(by), strings.Clone(note), now)
	if err != nil {
		return err
	}
	switch {
	case to == monitor.AlertActive:
		o.seriesOf(rec).drop(rec)
		o.begin(rec, o.policy.StartTimer(rec.alert, rec.timer, now))
	case to.Open():
		o.quiet.MoveToBack(rec.quiet)
	default:
		o.end(rec)
		o.closed.set(rec)
		s := o.seriesOf(rec)
		s.closed = append(s.closed, rec)
	}
	rec.history = append(rec.history, c)
	o.grow(rec, sizeOfChange(&c))
	if !damped {
		key, reason := driver.ChangeNotification(rec.alert.ID, &c)
		o.notify(rec, key, reason, nil, now)
	}
	return nil
}

// evictClosed removes the oldest closed alert, if there is one.
func (o *organization) evictClosed() bool {
	rec, ok := o.closed.first()
	if ok {
		o.lost.closed++
		o.evict(rec)
	}
	return ok
}

// evictOpen removes the open alert that was quiet longest, if there is one.
func (o *organization) evictOpen() bool {
	first := o.quiet.Front()
	if first == nil {
		return false
	}
	rec, _ := first.Value.(*record)
	o.lost.open++
	o.evict(rec)
	return true
}

func (o *organization) evict(rec *record) {
	for _, n := range rec.waiting {
		if !n.dead {
			o.lost.dropped[driver.DroppedTooMany]++
		}
	}
	o.forget(rec)
}

// giveUp evicts a few alerts, closed ones first, until this many bytes are free. It
// reports whether it has evicted any.
func (o *organization) giveUp(bytes int64) (gave bool) {
	left := o.size() - bytes
	for range few {
		if o.size() <= left || !o.evictClosed() && !o.evictOpen() {
			break
		}
		gave = true
	}
	return gave
}

// forget removes an alert and its notifications.
func (o *organization) forget(rec *record) {
	for len(rec.waiting) > 0 {
		o.outbox.remove(rec.waiting[0])
	}
	s := o.seriesOf(rec)
	if s.open == rec {
		o.end(rec)
	}
	s.drop(rec)
	o.closed.remove(rec)
	delete(o.byID, rec.alert.ID)
	o.bytes -= rec.bytes
	if s.alerts--; s.alerts == 0 {
		o.bytes -= s.counted.size()
		delete(o.series, rec.alert.Fingerprint)
	}
	*rec = record{created: rec.created, gone: true}
}

// grow notes that an alert takes more bytes, or fewer.
func (o *organization) grow(rec *record, bytes int64) {
	rec.bytes += bytes
	o.bytes += bytes
}

// erase replaces a name in an alert and its history, and reports whether it was there.
// It deletes evidence that has the name.
func (o *organization) erase(rec *record, name string) (found bool, events int, err error) {
	before := sizeOfAlert(rec.alert) + sizeOfHistory(rec.history)
	found, err = driver.EraseName(rec.alert, rec.history, name)
	events, freed := rec.evidence.erase(name)
	o.grow(rec, sizeOfAlert(rec.alert)+sizeOfHistory(rec.history)-before-freed)
	return found, events, err
}

// tidy removes deleted alerts from the list of all once they are most of it.
func (o *organization) tidy() {
	if len(o.alerts) > 2*len(o.byID)+100 {
		o.alerts = slices.Clip(slices.DeleteFunc(o.alerts, func(rec *record) bool { return rec.gone }))
		o.outdated = min(o.outdated, len(o.alerts))
	}
}

// walk calls f with a chunk of the alerts that were created before a time, or of all
// if it is zero, newest first, until f returns false. It returns where to go on, and
// whether there may be more. f may forget the alert.
func (o *organization) walk(before time.Time, f func(*record) bool) (next time.Time, more bool) {
	older := len(o.alerts)
	if !before.IsZero() {
		older, _ = slices.BinarySearchFunc(o.alerts, before, func(rec *record, at time.Time) int { return rec.created.Compare(at) })
	}
	for _, rec := range slices.Backward(o.alerts[max(0, older-chunk):older]) {
		if next = rec.created; !rec.gone && !f(rec) {
			return next, false
		}
	}
	return next, older > chunk
}

// setPolicy replaces the policy. The timers are computed again by runTimers.
func (o *organization) setPolicy(p *driver.Policy, now time.Time) {
	o.policy, o.saved, o.outdated = p, now, len(o.alerts)
}

// route puts the notifications without a route on the routes that they
// take.
func (o *organization) route(routes []alerting.Route, now time.Time) {
	o.outbox.route(func(n *notification) []string {
		n.Alert = n.record.alert
		names := driver.RoutesOf(&n.Notification, routes, now, o.lost.dropped)
		n.Alert = nil
		return names
	})
	o.trim()
}
