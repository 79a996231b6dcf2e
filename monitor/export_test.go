package monitor

import "time"

// Watermarks are watermarks outside of a monitor.
type Watermarks struct{ watermarks }

// NewWatermarks returns watermarks for so many organizations.
func NewWatermarks(lateness, skew time.Duration, capacity int) *Watermarks {
	w := &Watermarks{}
	w.init(lateness, skew, capacity)
	return w
}

// Judge accepts an event.
func (w *Watermarks) Judge(organization string, at, now time.Time) Timing {
	var a Arrival
	w.judge(&a, w.tenant(organization), at, now)
	return a.Timing
}

// Knows reports whether the organization is a known one.
func (w *Watermarks) Knows(organization string) bool { return w.knows(organization) }
