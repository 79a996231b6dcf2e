package alerting

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// SystemActor is who resolves alerts that were quiet for long enough.
const SystemActor = "auditwarden"

// heldBack is when to look again at an escalation that a suppression window holds
// back.
const heldBack = time.Minute

// An Escalation is what happens when nobody has acknowledged an alert in time.
type Escalation struct {
	// After is the time since the alert was opened, reopened or became more
	// severe, in whole milliseconds.
	After time.Duration
	// Routes are the names of the routes to be notified; none means those that
	// the alert takes by itself.
	Routes []string
}

// A Timer is what a store keeps of an open alert so that it happens in time what
// the settings want: it is escalated while it is active, and resolved when it was
// quiet. All times are the store's.
type Timer struct {
	// Version is that of the alert when it was opened, reopened or became more
	// severe, and Since when that was.
	Version int64
	Since   time.Time
	// Step counts the escalations since then.
	Step int
	// Due is when [Policy.Tick] is to be asked, zero for never.
	Due time.Time
}

// StartTimer returns the timer of an alert that was opened, reopened or became
// more severe, as its severity has escalations of its own.
func (p *Policy) StartTimer(a *monitor.Alert) Timer {
	t := Timer{Version: a.Version, Since: a.UpdatedAt}
	t.Due = p.Due(a, t)
	return t
}

// Due returns when to ask [Policy.Tick], zero for never. It changes with the
// settings; if only the alert's status or occurrences do, a time that was right
// before may be early.
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

// A Tick is what time makes of an open alert.
type Tick struct {
	// Reason is ReasonEscalated, ReasonResolved, or empty if it is too early for
	// both.
	Reason Reason
	// Targets are those of the escalation's notification.
	Targets []string
	// Note is that of the resolution, by [SystemActor].
	Note string
	// Timer is the alert's from now on.
	Timer Timer
}

// Tick says what is to happen to an open alert now.
func (p *Policy) Tick(a *monitor.Alert, t Timer, now time.Time) Tick {
	tick := Tick{Timer: t}
	quiet, escalation := p.quietUntil(a), p.escalatesAt(a, t)
	switch {
	case !quiet.IsZero() && !now.Before(quiet):
		tick.Reason = ReasonResolved
		tick.Note = fmt.Sprintf("quiet for %v", p.settings.AutoResolve[a.Severity])
		tick.Timer.Due = time.Time{}
		return tick
	case escalation.IsZero() || now.Before(escalation):
	case p.suppressed(now):
		tick.Timer.Due = now.Add(heldBack)
		return tick
	default:
		tick.Reason = ReasonEscalated
		tick.Targets = p.settings.Escalations[a.Severity][t.Step].Routes
		tick.Timer.Step++
	}
	tick.Timer.Due = p.Due(a, tick.Timer)
	return tick
}
