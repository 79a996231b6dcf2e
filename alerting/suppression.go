package alerting

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// A Suppression is a maintenance window: notifications of occurrences whose
// event time is in it are held back. It recurs daily, is limited to weekdays, or
// lasts from one moment to another; a window that has several of these is where
// they all hold. One of Start and End, Weekdays, and Until must be there.
type Suppression struct {
	// Start and End are wall-clock times "HH:MM" in TimeZone; End is no longer
	// in the window. A window that ends before it starts goes on past
	// midnight.
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
	// TimeZone is an IANA name, such as "Europe/Berlin". Defaults to UTC.
	TimeZone string `json:"timezone,omitempty"`
	// Weekdays are the days on which the window starts; none means every day.
	Weekdays []time.Weekday `json:"weekdays,omitempty"`
	// From and Until are the moments between which the window exists,
	// [From, Until). A zero time is no limit.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`

	// Reason is why; it must not be empty.
	Reason string `json:"reason"`
	// Author is who wants it. Defaults to whoever saves the settings.
	Author string `json:"author,omitempty"`
}

// A window is a suppression that was checked and taken apart.
type window struct {
	from, until time.Time
	zone        *time.Location
	weekdays    uint8 // bit per weekday
	start, end  int   // minutes of the day; equal for the whole day
}

const everyDay = 1<<7 - 1

// compile checks a suppression. The errors name the field relative to it.
func (s *Suppression) compile() (window, error) {
	w := window{from: s.From, until: s.Until, zone: time.UTC, weekdays: everyDay}
	var err error
	if s.Start != "" || s.End != "" {
		if w.start, err = minuteOfDay("Start", s.Start); err != nil {
			return w, err
		}
		if w.end, err = minuteOfDay("End", s.End); err != nil {
			return w, err
		}
		if w.start == w.end {
			return w, invalid("End", "is Start; leave both out for the whole day")
		}
	}
	if s.TimeZone == "Local" {
		return w, invalid("TimeZone", "must not depend on the machine")
	}
	if w.zone, err = time.LoadLocation(s.TimeZone); err != nil {
		return w, invalid("TimeZone", "%.40q is not known", s.TimeZone)
	}
	if len(s.Weekdays) > 0 {
		w.weekdays = 0
	}
	for _, day := range s.Weekdays {
		if day < time.Sunday || day > time.Saturday {
			return w, invalid("Weekdays", "%d is not between 0 and 6", int(day))
		}
		w.weekdays |= 1 << day
	}
	switch {
	case w.start == w.end && len(s.Weekdays) == 0 && s.Until.IsZero():
		return w, invalid("Until", "missing; without it, Start and End, or Weekdays the window never ends")
	case !s.Until.IsZero() && !s.From.Before(s.Until):
		return w, invalid("Until", "is not after From")
	case outOfRange(s.From) || outOfRange(s.Until):
		return w, invalid("From", "is outside the years 0 to 9999")
	case strings.TrimSpace(s.Reason) == "":
		return w, invalid("Reason", "missing")
	}
	return w, errors.Join(checkText("Reason", s.Reason, maxNote), checkText("Author", s.Author, maxName))
}

// outOfRange reports whether a time has no JSON form.
func outOfRange(t time.Time) bool { return t.Year() < 0 || t.Year() > 9999 }

func minuteOfDay(field, text string) (int, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, invalid(field, "%.20q is not HH:MM", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// contains reports whether the window contains a moment.
func (w *window) contains(at time.Time) bool {
	if at.Before(w.from) || !w.until.IsZero() && !at.Before(w.until) {
		return false
	}
	local := at.In(w.zone)
	minute, day := local.Hour()*60+local.Minute(), local.Weekday()
	switch {
	case w.start < w.end && (minute < w.start || minute >= w.end):
		return false
	case w.start > w.end && minute < w.end:
		day = (day + 6) % 7 // started the day before
	case w.start > w.end && minute < w.start:
		return false
	}
	return w.weekdays&(1<<day) != 0
}

// suppressed reports whether a moment is in one of the windows.
func (p *Policy) suppressed(at time.Time) bool {
	return slices.ContainsFunc(p.windows, func(w window) bool { return w.contains(at) })
}
