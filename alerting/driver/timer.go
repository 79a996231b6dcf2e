package driver

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// A Timer is stored with each alert. It says what the alert's next notification depends
// on, and when a store must look at the alert again, to notify of an opening that was
// held back, to escalate the alert or to resolve it.
type Timer struct {
	// Notified is the event time of the latest occurrence that somebody was notified
	// of, and zero while the first notification is held back. It also stays while the
	// alert is closed.
	Notified time.Time
	// Version is the alert's version when it was opened, reopened or became more severe.
	Version int64
	// Since is the store's time when that happened or, if it is later, when the alert's
	// first notification was created or the damping no longer holds it back.
	Since time.Time
	// Step is the number of escalations since then.
	Step int
	// Due is the store's time when it must call [Policy.Tick]. Zero means never.
	Due time.Time
}

// StartTimer returns the timer of an alert that was just reopened or became more
// severe. T is its timer so far. Its escalations start from the beginning.
func (p *Policy) StartTimer(a *monitor.Alert, t Timer, now time.Time) Timer {
	t = Timer{Notified: t.Notified, Version: a.Version, Since: a.UpdatedAt}
	t.Due = p.Due(a, t, now)
	return t
}

// Notify decides whether an occurrence that was added to an alert causes a notification;
// it sends nothing. Of the alert, it reads Severity, Status, UpdatedAt, and the Finding's
// Rule and Key. At is the LastSeen of the occurrence. The returned timer replaces that of
// the alert.
func (p *Policy) Notify(a *monitor.Alert, t Timer, at, now time.Time) (monitor.NotifyDecision, Timer) {
	at = notified(at, now)
	switch last := t.Notified; {
	case p.cooldown >= 0 && !last.IsZero() && !last.After(now) && at.Before(last.Add(p.cooldown)):
		return monitor.NotifyNone, t
	case p.Damped(t, now), !p.suppressedUntil(a, at).IsZero():
		return monitor.NotifySuppressed, t
	case last.IsZero():
		return monitor.NotifyDue, p.first(a, t, at, now)
	}
	t.Notified = at
	return monitor.NotifyDue, t
}

// notified returns the Notified of a timer for the time of an occurrence: no later than
// now. A time in the future would end all notifications of the alert.
func notified(at, now time.Time) time.Time {
	if at.After(now) {
		return now
	}
	return at
}

// first returns the timer of an alert after its first notification. Escalation and
// automatic resolution leave as much time from then on as if it had not been held back.
func (p *Policy) first(a *monitor.Alert, t Timer, at, now time.Time) Timer {
	t.Notified, t.Since = at, now
	t.Due = p.Due(a, t, now)
	return t
}

// Damped reports whether an alert is held back by the damping: the store must create no
// notification of a change of its status.
func (p *Policy) Damped(t Timer, now time.Time) bool {
	return p.Damps() && t.Notified.IsZero() && now.Before(t.Since)
}

// Due returns when the store must call [Policy.Tick], zero for never. After a change
// of the settings, RunTimers must compute the time again for every open alert. After
// a change of the alert for which there is no other timer, it may keep the old time,
// which can be too early but never too late.
//
// While the first notification of an alert is held back, the end of that is all that
// is awaited.
func (p *Policy) Due(a *monitor.Alert, t Timer, now time.Time) time.Time {
	switch {
	case !a.Status.Open():
		return time.Time{}
	case p.Damped(t, now):
		return later(t.Since, p.suppressedUntil(a, now))
	case t.Notified.IsZero():
		return later(now, p.suppressedUntil(a, now))
	}
	quiet, escalation := p.quietUntil(a, t), p.escalatesAt(a, t, now)
	if quiet.IsZero() || !escalation.IsZero() && escalation.Before(quiet) {
		return escalation
	}
	return quiet
}

// quietUntil returns when an unchanged open alert is resolved, zero for never.
func (p *Policy) quietUntil(a *monitor.Alert, t Timer) time.Time {
	quiet := p.settings.AutoResolve[a.Severity]
	if quiet == 0 {
		return time.Time{}
	}
	return later(a.UpdatedAt, t.Since).Add(quiet)
}

// escalatesAt returns when the next escalation of an alert is due, or an earlier time
// after now, zero for never. A suppression puts it off.
func (p *Policy) escalatesAt(a *monitor.Alert, t Timer, now time.Time) time.Time {
	steps := p.settings.Escalations[a.Severity]
	if a.Status != monitor.AlertActive || t.Step >= len(steps) {
		return time.Time{}
	}
	at := t.Since.Add(steps[t.Step].After)
	if now.Before(at) {
		return at
	}
	return later(at, p.suppressedUntil(a, now))
}

// A Tick says what the store must do with an open alert whose timer is due.
type Tick struct {
	// Reason is ReasonOpened, ReasonEscalated, ReasonResolved, or empty if only the
	// timer changes.
	Reason alerting.Reason
	// Targets are the Targets of the notification of an escalation.
	Targets []string
	// Note is the note of a resolution, which is made by [alerting.SystemActor].
	Note string
	// Timer replaces the timer of the alert.
	Timer Timer
}

// Tick decides what to do with an open alert at the time now. It changes nothing.
func (p *Policy) Tick(a *monitor.Alert, t Timer, now time.Time) Tick {
	tick := Tick{Timer: t}
	due, quiet := p.Due(a, t, now), p.quietUntil(a, t)
	switch {
	case due.IsZero() || now.Before(due):
		tick.Timer.Due = due
		return tick
	case t.Notified.IsZero():
		tick.Reason = alerting.ReasonOpened
		tick.Timer = p.first(a, t, notified(a.LastSeen, now), now)
		return tick
	case !quiet.IsZero() && !now.Before(quiet):
		tick.Reason = alerting.ReasonResolved
		tick.Note = fmt.Sprintf("quiet for %v", p.settings.AutoResolve[a.Severity])
		tick.Timer.Due = time.Time{}
		return tick
	}
	tick.Reason = alerting.ReasonEscalated
	tick.Targets = p.settings.Escalations[a.Severity][t.Step].Routes
	tick.Timer.Step++
	tick.Timer.Due = p.Due(a, tick.Timer, now)
	return tick
}
