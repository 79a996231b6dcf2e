//go:build !race

package monitor_test

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
)

// TestProcessDoesNotAllocate pins what the benchmarks report. The race detector
// makes pools forget, so that it is left out there.
func TestProcessDoesNotAllocate(t *testing.T) {
	for name, l := range map[string]load{
		"unverified": {},
		"ids":        {ids: true},
		"hmac":       {signed: true},
		"repeat":     {action: "data.read", findings: 1, start: time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)},
	} {
		l.init(t)
		l.fill(t)
		s, i := l.streams[0], 0
		allocations := testing.AllocsPerRun(len(s.events)-1, func() {
			l.one(t, &s.events[i])
			i++
		})
		check.Equal(t, name, allocations, 0)
	}
}
