// Package window decides whether a time is inside a maintenance window.
package window

import (
	"errors"
	"fmt"
	"time"
)

// A Spec defines a window: daily from Start to End in TimeZone, on some weekdays, not
// before From, and only until Until. An empty field is no limit.
type Spec struct {
	Start, End  string // "HH:MM"
	TimeZone    string // an IANA name
	Weekdays    []time.Weekday
	From, Until time.Time
}

// A Window is a validated Spec. It is safe for concurrent use.
type Window struct {
	from, until time.Time
	zone        *time.Location
	weekdays    uint8 // bit per weekday
	start, end  int   // minutes of the day; equal for the whole day
}

const everyDay = 1<<7 - 1

// Parse validates a spec. With an error, it returns the name of the invalid field.
func Parse(s Spec) (w Window, field string, err error) {
	w = Window{from: s.From, until: s.Until, zone: time.UTC, weekdays: everyDay}
	if s.Start != "" || s.End != "" {
		if w.start, err = minuteOfDay(s.Start); err != nil {
			return w, "Start", err
		}
		if w.end, err = minuteOfDay(s.End); err != nil {
			return w, "End", err
		}
		if w.start == w.end {
			return w, "End", errors.New("equals Start; leave both empty for the whole day")
		}
	}
	if s.TimeZone == "Local" {
		return w, "TimeZone", errors.New("must not be Local, which depends on the machine")
	}
	if w.zone, err = time.LoadLocation(s.TimeZone); err != nil {
		return w, "TimeZone", fmt.Errorf("%.40q is not known", s.TimeZone)
	}
	if len(s.Weekdays) > 0 {
		w.weekdays = 0
	}
	for _, day := range s.Weekdays {
		if day < time.Sunday || day > time.Saturday {
			return w, "Weekdays", fmt.Errorf("%d is not between 0 and 6", int(day))
		}
		w.weekdays |= 1 << day
	}
	switch {
	case w.start == w.end && len(s.Weekdays) == 0 && s.Until.IsZero():
		return w, "Until", errors.New("missing; a window must have Until, Weekdays, or Start and End")
	case !s.Until.IsZero() && !s.From.Before(s.Until):
		return w, "Until", errors.New("is not after From")
	case outOfRange(s.From) || outOfRange(s.Until):
		return w, "From", errors.New("is outside the years 0 to 9999")
	}
	return w, "", nil
}

// outOfRange reports whether a time has no JSON form.
func outOfRange(t time.Time) bool { return t.Year() < 0 || t.Year() > 9999 }

func minuteOfDay(text string) (int, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("%.20q is not HH:MM", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// Ends returns when the window ends that contains a time, or an earlier time at which to
// ask again.
func (w *Window) Ends(at time.Time) time.Time {
	if w.start == w.end && w.weekdays == everyDay && !w.until.IsZero() {
		return w.until
	}
	local, end := at.In(w.zone), w.end
	switch {
	case w.start == w.end:
		end = 24 * 60
	case end <= local.Hour()*60+local.Minute():
		end += 24 * 60
	}
	ends := time.Date(local.Year(), local.Month(), local.Day(), 0, end, 0, 0, w.zone)
	// When clocks change, the same time of day comes twice, or later than it should.
	for _, change := range []time.Duration{time.Hour, 30 * time.Minute} {
		if before := ends.Add(-change); before.After(at) && !w.Contains(before) {
			ends = before
			break
		}
	}
	if !ends.After(at) {
		ends = at.Add(time.Minute)
	}
	if !w.until.IsZero() && ends.After(w.until) {
		ends = w.until
	}
	return ends
}

// Contains reports whether the window contains a time.
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
		day = (day + 6) % 7 // the window started the day before
	case w.start > w.end && minute < w.start:
		return false
	}
	return w.weekdays&(1<<day) != 0
}
