package memalerts

import (
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// timersDue returns when runTimers has something to do, zero for never.
func (o *organization) timersDue() (due time.Time) {
	if rec, ok := o.timers.first(); ok {
		due = rec.timer.Due
	}
	expect := func(at time.Time) {
		if due.IsZero() || at.Before(due) {
			due = at
		}
	}
	if o.outdated > 0 {
		expect(o.saved)
	}
	if at := o.outbox.unrouted; at != nil {
		n, _ := at.Value.(*notification)
		expect(n.CreatedAt.Add(driver.UnroutedExpiry))
	}
	return due
}

// runTimers does some of what is due: it computes timers with a new policy, drops
// notifications that no route takes, and notifies of alerts, escalates or resolves them.
func (o *organization) runTimers(now time.Time) (escalated, resolved int, err error) {
	if o.outdated > 0 {
		o.computeTimers(now)
		return 0, 0, nil
	}
	o.expire(now)
	for range few {
		rec, ok := o.timers.first()
		if !ok || rec.timer.Due.After(now) {
			break
		}
		reason, err := o.runTimer(rec, now)
		if err != nil {
			return escalated, resolved, err
		}
		switch reason {
		case alerting.ReasonEscalated:
			escalated++
		case alerting.ReasonResolved:
			resolved++
		default:
		}
	}
	return escalated, resolved, nil
}

// computeTimers computes a chunk of the timers with a new policy.
func (o *organization) computeTimers(now time.Time) {
	from := max(0, o.outdated-chunk)
	for _, rec := range o.alerts[from:o.outdated] {
		if !rec.gone && rec.alert.Status.Open() {
			t := rec.timer
			t.Due = o.policy.Due(rec.alert, t, now)
			o.setTimer(rec, t)
		}
	}
	o.outdated = from
}

// expire drops the notifications that no route has taken in time.
func (o *organization) expire(now time.Time) {
	for n := range o.outbox.all(o.outbox.unrouted) {
		if now.Sub(n.CreatedAt) < driver.UnroutedExpiry {
			return
		}
		o.outbox.remove(n)
		o.lost.dropped[driver.DroppedTooOld]++
	}
}

// runTimer does what is due for an alert, and returns the reason.
func (o *organization) runTimer(rec *record, now time.Time) (alerting.Reason, error) {
	tick := o.policy.Tick(rec.alert, rec.timer, now)
	o.setTimer(rec, tick.Timer)
	switch tick.Reason {
	case alerting.ReasonOpened:
		key, reason := driver.OpeningNotification(rec.alert.ID)
		o.notify(rec, key, reason, nil, now)
	case alerting.ReasonEscalated:
		key, reason := driver.EscalationNotification(rec.alert.ID, tick.Timer.Version, tick.Timer.Step)
		o.notify(rec, key, reason, tick.Targets, now)
	case alerting.ReasonResolved:
		return tick.Reason, o.change(rec, monitor.AlertResolved, 0, alerting.SystemActor, tick.Note, now)
	default:
	}
	return tick.Reason, nil
}
