package driver

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// heldBack is when to look again at an escalation that a suppression window holds
// back.
const heldBack = time.Minute

// A Timer is what a store keeps of an open alert in order to escalate it while it
// is active, and to resolve it when it has been quiet. All times are the store's.
type Timer struct {
	// Version is the alert's when it was opened, reopened or became more severe,
	// and Since is when that was.
	Version int64
	Since   time.Time
	// Step is the number of escalations since then.
	Step int
	// Due is when to call [Policy.Tick]. Zero means never.
	Due time.Time
}

// StartTimer returns the timer of an alert that was opened, reopened or became more
// severe. Each severity has escalations of its own.
func (p *Policy) StartTimer(a *monitor.Alert) Timer {
	t := Timer{Version: a.Version, Since: a.UpdatedAt}
	t.Due = p.Due(a, t)
	return t
}

// Due returns when to call [Policy.Tick], zero for never. When the settings change,
// the time must be computed anew. When only the alert's status or its occurrences
// change, the old time may be too early but is never too late.
func (p *Policy) Due(a *monitor.Alert, t Timer) time.Time {
	quiet, escalation := p.quietUntil(a), p.escalatesAt(a, t)
	if quiet.IsZero() || !escalation.IsZero() && escalation.Before(quiet) {
		return escalation
	}
	return quiet
}

// quietUntil returns when an alert is resolved unless something happens.
func (p *Policy) quietUntil(a *monitor.Alert) time.Time {
	quiet := p.settings.AutoResolve[a.Severity]
	if quiet == 0 || !a.Status.Open() {
		return time.Time{}
	}
	return a.UpdatedAt.Add(quiet)
}

// escalatesAt returns when an alert has its next escalation.
func (p *Policy) escalatesAt(a *monitor.Alert, t Timer) time.Time {
	steps := p.settings.Escalations[a.Severity]
	if a.Status != monitor.AlertActive || t.Step >= len(steps) {
		return time.Time{}
	}
	return t.Since.Add(steps[t.Step].After)
}

// A Tick says what to do with an open alert whose timer is due.
type Tick struct {
	// Reason is ReasonEscalated, ReasonResolved, or empty if it is too early for
	// both.
	Reason alerting.Reason
	// Targets are the targets of the escalation's notification.
	Targets []string
	// Note is the note of the resolution, by [alerting.SystemActor].
	Note string
	// Timer is the alert's new timer.
	Timer Timer
}

// Tick decides what to do with an open alert now.
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
	case p.suppressed(now):
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
