package monitor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

func TestSetTimestampText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2023-10-26T10:30:00Z":               "2023-10-26T10:30:00Z",
		"2023-10-26t10:30:00z":               "2023-10-26T10:30:00Z",
		"2023-10-26 10:30:00Z":               "2023-10-26T10:30:00Z",
		"2023-10-26T10:30:00.5Z":             "2023-10-26T10:30:00.5Z",
		"2023-10-26T10:30:00.123456789Z":     "2023-10-26T10:30:00.123456789Z",
		"2023-10-26T10:30:00.1234567899999Z": "2023-10-26T10:30:00.123456789Z",
		"2023-10-26T10:30:00.091-05:30":      "2023-10-26T16:00:00.091Z",
		"2023-10-26T01:30:00+23:59":          "2023-10-25T01:31:00Z",
		"2023-12-31T23:30:00-01:00":          "2024-01-01T00:30:00Z",
		"2024-02-29T00:00:00Z":               "2024-02-29T00:00:00Z",
		"1678-01-01T00:00:00Z":               "1678-01-01T00:00:00Z",
		"2261-12-31T23:59:59.999999999Z":     "2261-12-31T23:59:59.999999999Z",
		"2023-10-26 10:30:00+00":             "2023-10-26T10:30:00Z",
		"2023-10-26 10:30:00.5-08":           "2023-10-26T18:30:00.5Z",
		"2023-10-26 16:00:00.123456+05:30":   "2023-10-26T10:30:00.123456Z",
		"1883-11-18 12:03:57-04:56:02":       "1883-11-18T16:59:59Z",
		"2023-10-26T10:30:00-00:00":          "2023-10-26T10:30:00Z",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			var e monitor.Event
			if err := e.SetTimestampText(text); err != nil {
				t.Fatal(err)
			}
			if got := e.Timestamp.Format(time.RFC3339Nano); got != want || e.Timestamp.Location() != time.UTC {
				t.Errorf("got %s in %v, want %s", got, e.Timestamp.Location(), want)
			}
			if e.TimestampText() != text {
				t.Errorf("the text became %q", e.TimestampText())
			}
		})
	}
}

func TestSetTimestampTextRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "Z", "2023-10-26", "2023-10-26T10:30:00", "2023-10-26T10:30Z", "2023-10-26T10:30:00 Z",
		"2023-10-26T10:30:00.Z", "2023-10-26T10:30:00.5", "2023-10-26T10:30:00+0a:00", "2023-10-26T10:30:00,5Z", "2023-10-26T1:30:00Z", "20231026T103000Z",
		"2023-00-26T10:30:00Z", "2023-13-26T10:30:00Z", "2023-10-00T10:30:00Z", "2023-10-32T10:30:00Z",
		"2023-02-29T10:30:00Z", "2023-10-26T24:00:00Z", "2023-10-26T10:60:00Z", "2023-10-26T10:30:60Z",
		"2023-10-26T10:30:00+24:00", "2023-10-26T10:30:00+01:60", "2023-10-26T10:30:00+0100",
		"2023-10-26T10:30:00+1", "2023-10-26T10:30:00+01:", "2023-10-26T10:30:00+01.00",
		"2023-10-26T10:30:00+01:00:00:00", "2023-10-26T10:30:00*01:00", "2023-10-26T10:30:00+ab:00",
		"2023-10-26T10:30:00ZZ", "2023-10-26_10:30:00Z", "2023/10/26T10:30:00Z", "-023-10-26T10:30:00Z",
		"2023-10-26T10:30:00Z\x00", "２023-10-26T10:30:00Z",
		"0001-01-01T00:00:00Z", "1677-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
		"1678-01-01T00:00:00+01:00",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			var e monitor.Event
			err := e.SetTimestampText(text)
			var invalid *monitor.InvalidEventError
			if !errors.As(err, &invalid) || invalid.Field != "timestamp" {
				t.Errorf("got time %v, error %v", e.Timestamp, err)
			}
		})
	}
}

// FuzzTimestamp compares with package time: what is RFC 3339 to both is the same
// time, and nothing is a time that package time does not know.
func FuzzTimestamp(f *testing.F) {
	for _, seed := range []string{
		"2023-10-26T10:30:00Z", "2023-10-26 10:30:00.5+00", "2023-10-26T10:30:00.123-05:30", "2023-02-29T00:00:00Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var e monitor.Event
		err := e.SetTimestampText(text)
		var want time.Time
		wantErr := want.UnmarshalText([]byte(text))
		// Package time also takes a single digit for the hour, and a comma.
		strict := wantErr == nil && text[13] == ':' && !strings.Contains(text, ",")
		switch {
		case strict && want.Year() > 1678 && want.Year() < 2261:
			if err != nil || !e.Timestamp.Equal(want) {
				t.Fatalf("%q is %v (%v), want %v", text, e.Timestamp, err, want)
			}
		case err == nil:
			text = strings.Replace(strings.ToUpper(text), " ", "T", 1)
			for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05Z07:00:00"} {
				if want, err := time.Parse(layout, text); err == nil && want.Equal(e.Timestamp) {
					return
				}
			}
			t.Fatalf("%q is no time and was read as %v", text, e.Timestamp)
		}
	})
}

func TestTimestampTextFollowsTimestamp(t *testing.T) {
	t.Parallel()
	var e monitor.Event
	if err := e.SetTimestampText("2023-10-26T12:30:00+02:00"); err != nil {
		t.Fatal(err)
	}
	e.Timestamp = e.Timestamp.In(time.FixedZone("", 3600)) // the same time
	if got := e.TimestampText(); got != "2023-10-26T12:30:00+02:00" {
		t.Errorf("got %q", got)
	}
	e.Timestamp = e.Timestamp.Add(time.Millisecond)
	if got := e.TimestampText(); got != "2023-10-26T10:30:00.001Z" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkTimestamp(b *testing.B) {
	for _, text := range []string{"2023-10-26T10:30:00.123Z", "2023-10-26 10:30:00.123456+05:30"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			var e monitor.Event
			for b.Loop() {
				if err := e.SetTimestampText(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
