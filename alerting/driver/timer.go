package driver

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// heldBack is the interval between attempts at an escalation during a suppression.
const heldBack = time.Minute

// A Timer is stored with each open alert. It says when the alert is to be escalated,
// while it is active, or to be resolved automatically. All times are the store's.
type Timer struct {
	// Version and Since are the alert's version and the time when it was opened,
	// reopened or became more severe.
	Version int64
	Since   time.Time
	// Step is the number of escalations since then.
	Step int
	// Due is when the store must call [Policy.Tick]. Zero means never.
	Due time.Time
}

// StartTimer returns the timer of an alert that was just opened, was reopened or
// became more severe. Its escalations start from the beginning.
func (p *Policy) StartTimer(a *monitor.Alert) Timer {
	t := Timer{Version: a.Version, Since: a.UpdatedAt}
	t.Due = p.Due(a, t)
	return t
}

// Due returns when the store must call [Policy.Tick], zero for never. After a change
// of the settings, RunTimers must compute the time again for every open alert. After
// a change of the alert that needs no StartTimer, it may keep the old time, which can
// be too early but never too late.
func (p *Policy) Due(a *monitor.Alert, t Timer) time.Time {
	quiet, escalation := p.quietUntil(a), p.escalatesAt(a, t)
	if quiet.IsZero() || !escalation.IsZero() && escalation.Before(quiet) {
		return escalation
	}
	return quiet
}

// quietUntil returns when an unchanged alert is resolved, zero for never.
func (p *Policy) quietUntil(a *monitor.Alert) time.Time {
	quiet := p.settings.AutoResolve[a.Severity]
	if quiet == 0 || !a.Status.Open() {
		return time.Time{}
	}
	return a.UpdatedAt.Add(quiet)
}

// escalatesAt returns when the next escalation of an alert is due, zero for never.
func (p *Policy) escalatesAt(a *monitor.Alert, t Timer) time.Time {
	steps := p.settings.Escalations[a.Severity]
	if a.Status != monitor.AlertActive || t.Step >= len(steps) {
		return time.Time{}
	}
	return t.Since.Add(steps[t.Step].After)
}

// A Tick says what the store must do with an open alert whose timer is due.
type Tick struct {
	// Reason is ReasonEscalated, ReasonResolved, or empty if only the timer changes.
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
	quiet, escalation := p.quietUntil(a), p.escalatesAt(a, t)
	switch {
	case !quiet.IsZero() && !now.Before(quiet):
		tick.Reason = alerting.ReasonResolved
		tick.Note = fmt.Sprintf("quiet for %v", p.settings.AutoResolve[a.Severity])
		tick.Timer.Due = time.Time{}
		return tick
	case escalation.IsZero() || now.Before(escalation):
	case p.suppressed(a, now):
		tick.Timer.Due = now.Add(heldBack)
		return tick
	default:
		tick.Reason = alerting.ReasonEscalated
		tick.Targets = p.settings.Escalations[a.Severity][t.Step].Routes
		tick.Timer.Step++
	}
	tick.Timer.Due = p.Due(a, tick.Timer)
	return tick
}
