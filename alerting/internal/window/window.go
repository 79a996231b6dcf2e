// Package window tells whether a moment is in a maintenance window.
package window

import (
	"fmt"
	"time"
)

// A Spec says when a window is: daily from Start to End in TimeZone, on some
// weekdays, and not before From or from Until on. What is empty is no limit.
type Spec struct {
	Start, End  string // "HH:MM"
	TimeZone    string // an IANA name
	Weekdays    []time.Weekday
	From, Until time.Time
}

// A FieldError tells which field of a [Spec] is wrong.
type FieldError struct {
	Field string
	Err   error
}

func (e *FieldError) Error() string { return fmt.Sprintf("%s: %v", e.Field, e.Err) }

func (e *FieldError) Unwrap() error { return e.Err }

func wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Err: fmt.Errorf(format, args...)}
}

// A Window is a window that was checked. It is safe for concurrent use.
type Window struct {
	from, until time.Time
	zone        *time.Location
	weekdays    uint8 // bit per weekday
	start, end  int   // minutes of the day; equal for the whole day
}

const everyDay = 1<<7 - 1

// Parse checks a spec. The error is a [FieldError].
func Parse(s Spec) (Window, error) {
	w := Window{from: s.From, until: s.Until, zone: time.UTC, weekdays: everyDay}
	var err error
	if s.Start != "" || s.End != "" {
		if w.start, err = minuteOfDay("Start", s.Start); err != nil {
			return w, err
		}
		if w.end, err = minuteOfDay("End", s.End); err != nil {
			return w, err
		}
		if w.start == w.end {
			return w, wrong("End", "is Start; leave both out for the whole day")
		}
	}
	if s.TimeZone == "Local" {
		return w, wrong("TimeZone", "must not depend on the machine")
	}
	if w.zone, err = time.LoadLocation(s.TimeZone); err != nil {
		return w, wrong("TimeZone", "%.40q is not known", s.TimeZone)
	}
	if len(s.Weekdays) > 0 {
		w.weekdays = 0
	}
	for _, day := range s.Weekdays {
		if day < time.Sunday || day > time.Saturday {
			return w, wrong("Weekdays", "%d is not between 0 and 6", int(day))
		}
		w.weekdays |= 1 << day
	}
	switch {
	case w.start == w.end && len(s.Weekdays) == 0 && s.Until.IsZero():
		return w, wrong("Until", "missing; without it, Start and End, or Weekdays the window never ends")
	case !s.Until.IsZero() && !s.From.Before(s.Until):
		return w, wrong("Until", "is not after From")
	case outOfRange(s.From) || outOfRange(s.Until):
		return w, wrong("From", "is outside the years 0 to 9999")
	}
	return w, nil
}

// outOfRange reports whether a time has no JSON form.
func outOfRange(t time.Time) bool { return t.Year() < 0 || t.Year() > 9999 }

func minuteOfDay(field, text string) (int, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, wrong(field, "%.20q is not HH:MM", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// Contains reports whether the window contains a moment.
func (w *Window) Contains(at time.Time) bool {
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
