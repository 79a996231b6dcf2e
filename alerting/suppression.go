package alerting

import (
	"errors"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting/internal/window"
)

// A Suppression is a maintenance window. While it lasts no notifications are
// written for occurrences whose event time is in it. A window recurs daily, is
// limited to weekdays, lasts from one moment to another, or is any combination of
// these. It must have Start and End, Weekdays, or Until.
type Suppression struct {
	// Start and End are wall-clock times "HH:MM" in TimeZone. End is not part of
	// the window. A window that ends before it starts lasts past midnight.
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
	// TimeZone is an IANA name, such as "Europe/Berlin". Defaults to UTC.
	TimeZone string `json:"timezone,omitempty"`
	// Weekdays are the days on which the window starts. None means every day.
	Weekdays []time.Weekday `json:"weekdays,omitempty"`
	// From and Until are the moments between which the window exists,
	// [From, Until). A zero time is no limit.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`

	// Reason says why there is a window. It must not be empty.
	Reason string `json:"reason"`
	// Author says who wants the window. Defaults to whoever saves the settings.
	Author string `json:"author,omitempty"`
}

// check refuses a suppression that cannot be used. The errors name the field of
// the suppression.
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
