package detect_test

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestHours(t *testing.T) {
	t.Parallel()
	vienna, newYork, kolkata := zone(t, "Europe/Vienna"), zone(t, "America/New_York"), zone(t, "Asia/Kolkata")
	utc := func(text string) time.Time {
		at, err := time.Parse("2006-01-02 15:04:05.999999999", text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	night := detect.Hours{Start: 22, End: 6}
	day := detect.Hours{Start: 9, End: 17}
	week := detect.Hours{Start: 22, End: 6, WorkingDays: []time.Weekday{time.Monday, time.Friday}}
	holiday := detect.Hours{Start: 22, End: 6, Holidays: []detect.Date{{Year: 2026, Month: 12, Day: 25}}}
	in := func(h detect.Hours, l *time.Location) detect.Hours { h.Location = l; return h }
	tests := []struct {
		name  string
		hours detect.Hours
		at    string
		off   bool
	}{
		{"before the start", night, "2026-03-02 21:59:59.999999999", false},
		{"at the start", night, "2026-03-02 22:00:00", true},
		{"midnight", night, "2026-03-03 00:00:00", true},
		{"before the end", night, "2026-03-03 05:59:59.999999999", true},
		{"at the end", night, "2026-03-03 06:00:00", false},
		{"not over midnight: before", day, "2026-03-02 08:59:59", false},
		{"not over midnight: at the start", day, "2026-03-02 09:00:00", true},
		{"not over midnight: before the end", day, "2026-03-02 16:59:59", true},
		{"not over midnight: at the end", day, "2026-03-02 17:00:00", false},
		{"not over midnight: midnight", day, "2026-03-02 00:00:00", false},
		{"equal bounds", detect.Hours{Start: 3, End: 3}, "2026-03-02 03:00:00", false},
		{"equal bounds, holiday", detect.Hours{Holidays: holiday.Holidays}, "2026-12-25 12:00:00", false},
		{"east: already night", in(night, vienna), "2026-01-10 21:00:00", true},
		{"east: still evening", in(night, vienna), "2026-01-10 20:59:59", false},
		{"summer time", in(night, vienna), "2026-07-10 20:00:00", true},
		{"before the clocks go forward", in(night, vienna), "2026-03-29 00:30:00", true},
		{"6 o'clock on that day", in(night, vienna), "2026-03-29 04:00:00", false},
		{"6 o'clock the day before", in(night, vienna), "2026-03-28 04:00:00", true},
		{"the hour that comes twice, first", in(detect.Hours{Start: 2, End: 3}, vienna), "2026-10-25 00:30:00", true},
		{"the hour that comes twice, second", in(detect.Hours{Start: 2, End: 3}, vienna), "2026-10-25 01:30:00", true},
		{"west: the day before", in(night, newYork), "2026-01-10 03:00:00", true},
		{"west: evening", in(night, newYork), "2026-01-10 02:59:59", false},
		{"half an hour off", in(night, kolkata), "2026-01-10 16:30:00", true},
		{"half an hour off, before", in(night, kolkata), "2026-01-10 16:29:59", false},
		{"working day", week, "2026-03-06 12:00:00", false},
		{"no working day", week, "2026-03-07 12:00:00", true},
		{"night of a working day", week, "2026-03-06 23:00:00", true},
		{"working day there", in(week, newYork), "2026-03-07 02:00:00", false},
		{"holiday", holiday, "2026-12-25 12:00:00", true},
		{"no holiday", holiday, "2026-12-24 12:00:00", false},
		{"holiday there", in(holiday, newYork), "2026-12-26 02:00:00", true},
		{"no holiday there", in(holiday, newYork), "2026-12-25 04:00:00", true}, // night
		{"not yet holiday there", in(holiday, newYork), "2026-12-25 02:00:00", false},
	}
	for _, test := range tests {
		tr := newTrail(t, &detect.Options{Rules: []detect.Rule{{Name: "off", Match: any1, Hours: &test.hours}}})
		off := len(tr.add(&monitor.Event{Timestamp: utc(test.at), OrganizationID: "org-1"})) > 0
		if off != test.off {
			t.Errorf("%s: %s UTC: off is %v", test.name, test.at, off)
		}
	}
}

// TestLocation shows which time zone a rule takes.
func TestLocation(t *testing.T) {
	t.Parallel()
	vienna, newYork, tokyo := zone(t, "Europe/Vienna"), zone(t, "America/New_York"), zone(t, "Asia/Tokyo")
	rules := []detect.Rule{
		{Name: "mine", Match: any1, Hours: &detect.Hours{Start: 12, End: 13, Location: tokyo}},
		{Name: "ours", Match: any1, Hours: &detect.Hours{Start: 12, End: 13}},
	}
	tr := newTrail(t, &detect.Options{
		Rules: rules, Location: vienna,
		Overrides: map[string]detect.Override{
			"us": {Location: newYork},
			"uk": {Rules: map[string]detect.RuleOverride{
				"mine": {Hours: &detect.Hours{Start: 12, End: 13, Location: time.UTC}},
				"ours": {Hours: &detect.Hours{Start: 13, End: 14}},
			}},
		},
	})
	var found []monitor.Finding
	for hour := range 24 {
		for _, organization := range []string{"at", "us", "uk"} {
			e := at(time.Duration(hour-12)*time.Hour, "x", "u")
			e.OrganizationID = organization
			found = append(found, tr.add(e)...)
		}
	}
	wantLines(t, found,
		"mine at/u 1 +-9h0m0s", "mine us/u 1 +-9h0m0s",
		"ours at/u 1 +-1h0m0s",
		"mine uk/u 1 +0s", "ours uk/u 1 +0s",
		"ours us/u 1 +5h0m0s")
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	d, err := detect.ParseDate("2028-02-29")
	if err != nil || d != (detect.Date{Year: 2028, Month: 2, Day: 29}) || d.String() != "2028-02-29" {
		t.Errorf("got %v, %v", d, err)
	}
	for _, text := range []string{"", "2026-02-29", "2026-2-1", "25.12.2026", "2026-12-25T00:00:00Z"} {
		if d, err := detect.ParseDate(text); err == nil {
			t.Errorf("%q: got %v", text, d)
		}
	}
}
