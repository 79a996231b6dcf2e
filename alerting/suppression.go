package alerting

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting/internal/window"
)

// A Suppression is a maintenance window. Occurrences whose event time is inside it
// cause no notification. An alert that nobody was notified of for this reason is held
// back: once no suppression of it lasts any longer by the store's clock, because the
// window ends or the settings change, an open alert causes its first notification, with
// [ReasonOpened]. So each alert is told by itself, and one that a person has closed
// meanwhile is not. Until then it is neither escalated nor resolved automatically, and
// the times for both count from then on. A window is a time of day, a set of weekdays, a period
// between two points in time, or a combination. It must have Start and End, Weekdays,
// or Until.
type Suppression struct {
	// Start and End are wall-clock times "HH:MM" in TimeZone. The window excludes
	// End, which is on the next day if it is before Start. Without both, it lasts all
	// day.
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
	// TimeZone is an IANA name, such as "Europe/Berlin". Defaults to UTC.
	TimeZone string `json:"timezone,omitempty"`
	// Weekdays are the days on which the window starts. None means every day.
	Weekdays []time.Weekday `json:"weekdays,omitempty"`
	// From and Until limit the window to [From, Until). A zero time is no limit.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`

	// Reason is the reason for the window. It must not be empty.
	Reason string `json:"reason"`
	// Author is who wants the window. Defaults to whoever saves the settings.
	Author string `json:"author,omitempty"`
}

func (s *Suppression) clone() Suppression {
	c := *s
	c.Weekdays = slices.Clone(s.Weekdays)
	return c
}

// check rejects an invalid suppression. The errors name a field of the suppression.
func (s *Suppression) check() error {
	_, field, err := window.Parse(window.Spec{
		Start: s.Start, End: s.End, TimeZone: s.TimeZone, Weekdays: s.Weekdays, From: s.From, Until: s.Until,
	})
	if err != nil {
		return &InvalidError{Field: field, Err: err}
	}
	if strings.TrimSpace(s.Reason) == "" {
		return invalid("Reason", "missing")
	}
	return errors.Join(checkText("Reason", s.Reason, maxNote), checkText("Author", s.Author, maxName))
}
