package main

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// TestTimestamps remembers what can still be asked for, and no more.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	const lateness = 10 * time.Second
	start := time.Date(2026, 3, 11, 10, 0, 0, 0, time.UTC)
	ts := newTimestamps(lateness)
	write := func(organization string, line int, text string) {
		t.Helper()
		e := monitor.Event{OrganizationID: organization}
		if err := e.SetTimestampText(text); err != nil {
			t.Fatal(err)
		}
		ts.keep(uint64(line), &e)
	}
	write("other", 0, "2026-03-11T09:00:00Z")
	for second := range 1000 {
		write("acme", 2*second+1, start.Add(time.Duration(second)*time.Second).Format(time.RFC3339))
		write("acme", 2*second+2, start.Add(time.Duration(second)*time.Second).Format("2006-01-02T15:04:05.000Z"))
	}

	text := func(organization string, line int, at time.Time) string {
		return ts.text(organization, monitor.EventRef{Sequence: uint64(line), Timestamp: at})
	}
	for second := 989; second < 1000; second++ {
		at := start.Add(time.Duration(second) * time.Second)
		if got, want := text("acme", 2*second+1, at), at.Format(time.RFC3339); got != want {
			t.Errorf("second %d: %s, want %s", second, got, want)
		}
		if got, want := text("acme", 2*second+2, at), at.Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Errorf("second %d: %s, want %s", second, got, want)
		}
	}
	if got, want := text("other", 0, start.Add(-time.Hour)), "2026-03-11T09:00:00Z"; got != want {
		t.Errorf("another organization's: %s, want %s", got, want)
	}
	if n := len(ts.byOrganization["acme"].texts); n != 11 {
		t.Errorf("%d timestamps are remembered, want 11", n)
	}
}
