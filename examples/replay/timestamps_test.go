package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
		require.NoError(t, e.SetTimestampText(text))
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
		assert.Equal(t, at.Format(time.RFC3339), text("acme", 2*second+1, at))
		assert.Equal(t, at.Format("2006-01-02T15:04:05.000Z"), text("acme", 2*second+2, at))
	}
	assert.Equal(t, "2026-03-11T09:00:00Z", text("other", 0, start.Add(-time.Hour)), "another organization's")
	assert.Len(t, ts.byOrganization["acme"].texts, 11)
}
