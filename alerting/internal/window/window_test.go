package window_test

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting/internal/window"
)

// TestEnds looks at many times of a year: a window never ends later than Ends says,
// and who asks again when it does not end soon finds its end.
func TestEnds(t *testing.T) {
	t.Parallel()
	from := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, spec := range []window.Spec{
		{Start: "22:00", End: "06:00"},
		{Start: "02:30", End: "04:00", TimeZone: "Europe/Berlin"},
		{Start: "22:00", End: "02:30", TimeZone: "Europe/Berlin"},
		{Start: "01:15", End: "02:15", TimeZone: "Europe/Berlin"},
		{Start: "22:00", End: "01:45", TimeZone: "Australia/Lord_Howe"},
		{Start: "22:00", End: "06:00", Weekdays: []time.Weekday{time.Friday}, TimeZone: "America/New_York"},
		{Weekdays: []time.Weekday{time.Saturday, time.Sunday}, TimeZone: "Africa/Cairo"}, // midnight is skipped
		{Start: "00:00", End: "12:00", From: from, Until: from.Add(1000*time.Hour + 7*time.Second)},
		{From: from, Until: from.Add(24*200*time.Hour + time.Minute)},
	} {
		w, field, err := window.Parse(spec)
		if err != nil {
			t.Fatal(field, err)
		}
		for at := from.Add(7 * time.Minute); at.Before(from.AddDate(1, 0, 0)); at = at.Add(5*time.Hour + 13*time.Minute) {
			if !w.Contains(at) {
				continue
			}
			ends := w.Ends(at)
			if !ends.After(at) {
				t.Fatalf("%+v: at %v, it ends at %v", spec, at, ends)
			}
			for m := at; m.Before(ends); m = m.Add(15 * time.Minute) {
				if !w.Contains(m) {
					t.Fatalf("%+v: at %v, it ends at %v, but has ended at %v", spec, at, ends, m)
				}
			}
			asked := 0
			for ; w.Contains(ends); ends = w.Ends(ends) {
				if asked++; asked > 100 {
					t.Fatalf("%+v: at %v, it has no end", spec, at)
				}
			}
			if w.Contains(ends) || !w.Contains(ends.Add(-time.Second)) {
				t.Fatalf("%+v: at %v, it ends at %v, and has ended before", spec, at, ends)
			}
		}
	}
}
