package driver

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// MaxEarlier is the number of earlier alerts that [Policy.Opened] needs at most.
const MaxEarlier = 1000

// An Earlier is a closed alert with the fingerprint of one that opens.
type Earlier struct {
	OpenedAt time.Time // its CreatedAt
	Severity monitor.Severity
	Notified bool // somebody was notified of it: its [Timer] has a Notified
}

// Opened returns the timer of an alert that was just opened. Earlier are the alerts of
// its fingerprint that were closed last, the latest first. The alert is held back if too
// many of them were told of; its Description and Metadata say how many were not.
func (p *Policy) Opened(a *monitor.Alert, earlier []Earlier, now time.Time) Timer {
	t := Timer{Version: a.Version, Since: a.UpdatedAt}
	if p.Damps() {
		t.Since = later(t.Since, p.dampedUntil(a, earlier))
		if n := heldBack(earlier); n > 0 {
			a.Metadata["heldBack"] = n
			a.Description += fmt.Sprintf(" Alerts of this kind that were held back before: %d.", n)
		}
	}
	t.Due = p.Due(a, t, now)
	return t
}

// dampedUntil returns until when an alert that opens is held back, or a time in the past.
func (p *Policy) dampedUntil(a *monitor.Alert, earlier []Earlier) time.Time {
	told := 0
	for _, e := range earlier {
		if e.Notified && e.Severity >= a.Severity {
			if told++; told == p.settings.Damping.Openings {
				return e.OpenedAt.Add(p.settings.Damping.Window)
			}
		}
	}
	return time.Time{}
}

// heldBack returns how many of the alerts nobody was notified of since the last one that
// somebody was.
func heldBack(earlier []Earlier) (n int64) {
	for _, e := range earlier {
		if e.Notified {
			break
		}
		n++
	}
	return n
}
