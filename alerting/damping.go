package alerting

import "time"

// A Damping limits the notifications about an alert that opens and closes again and
// again. The zero value does not.
//
// Of the alerts with one fingerprint, Openings are told of within Window. The next one
// is held back like one in a [Suppression], until the Window has passed since the first
// of these was opened or the alert becomes more severe; changes of its status cause no
// notifications before that. An alert that is more severe than these is told of at once.
// When an alert opens, its Description and its Metadata ("heldBack") say how many before
// it were closed without a notification since the last one.
type Damping struct {
	// Openings is a number up to 100.
	Openings int
	// Window is in whole milliseconds by the store's clock, at most 365 days.
	Window time.Duration
}

// maxOpenings limits [Damping] Openings.
const maxOpenings = 100

// check rejects an invalid damping.
func (d Damping) check() error {
	switch {
	case d.Openings < 0 || d.Openings > maxOpenings:
		return invalid("Damping.Openings", "%d is not between 0 and %d", d.Openings, maxOpenings)
	case (d.Openings == 0) != (d.Window == 0):
		return invalid("Damping.Window", "Openings and Window must be set both or neither")
	}
	return checkMillis("Damping.Window", d.Window)
}
