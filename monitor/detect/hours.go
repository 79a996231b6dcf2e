package detect

import (
	"fmt"
	"time"
)

// Hours are the times at which nobody is expected to work. These are the hours from
// Start up to, but not including, End, over midnight if Start is greater than End,
// and all hours of days that are not working days. If Start and End are equal,
// there are no such times at all, on no day.
type Hours struct {
	// Start and End are hours of the day, 0 to 23.
	Start, End int
	// Location is the time zone. It defaults to that of the organization
	// ([Override.Location]), then to [Options.Location].
	Location *time.Location
	// WorkingDays are the days on which people work. Defaults to every day.
	WorkingDays []time.Weekday
	// Holidays are not working days.
	Holidays []Date
}

// A Date is a day of the calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate parses a date such as 2026-12-25.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, fmt.Errorf("detect: parse date: %.40q is not a date such as 2026-12-25", text)
	}
	return dateOf(t), nil
}

// String returns the date in the form that [ParseDate] parses.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

func dateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

func (h *Hours) validate(bad complaint) {
	for _, hour := range [...]struct {
		field string
		value int
	}{{"Hours.Start", h.Start}, {"Hours.End", h.End}} {
		if hour.value < 0 || hour.value > 23 {
			bad(hour.field, "%d is not an hour from 0 to 23", hour.value)
		}
	}
	for _, day := range h.WorkingDays {
		if day < time.Sunday || day > time.Saturday {
			bad("Hours.WorkingDays", "%d is no day of the week", int(day))
		}
	}
	for _, d := range h.Holidays {
		if dateOf(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)) != d {
			bad("Hours.Holidays", "%s is no day of the calendar", d)
		}
	}
}

// A calendar is what Hours are judged by.
type calendar struct {
	start, end int
	location   *time.Location
	working    [7]bool
	holidays   map[Date]struct{}
}

// newCalendar returns the calendar of the hours in the first location there is.
func newCalendar(h *Hours, fallback ...*time.Location) *calendar {
	c := &calendar{start: h.Start, end: h.End, holidays: map[Date]struct{}{}, location: time.UTC}
	for _, l := range append([]*time.Location{h.Location}, fallback...) {
		if l != nil {
			c.location = l
			break
		}
	}
	for _, day := range h.WorkingDays {
		c.working[day] = true
	}
	if len(h.WorkingDays) == 0 {
		c.working = [7]bool{true, true, true, true, true, true, true}
	}
	for _, d := range h.Holidays {
		c.holidays[d] = struct{}{}
	}
	return c
}

// off reports whether nobody is expected to work at t.
func (c *calendar) off(t time.Time) bool {
	if c.start == c.end {
		return false
	}
	t = t.In(c.location)
	hour := t.Hour()
	night := c.start <= hour && hour < c.end
	if c.start > c.end {
		night = c.start <= hour || hour < c.end
	}
	if night || !c.working[t.Weekday()] {
		return true
	}
	if len(c.holidays) == 0 {
		return false
	}
	_, holiday := c.holidays[dateOf(t)]
	return holiday
}
