package check

import (
	"cmp"
	"slices"
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

// Health reports an error unless the worst component that the port reports has
// that status. It returns the component.
func Health(tb testing.TB, port monitor.HealthReporter, want monitor.HealthStatus) monitor.ComponentHealth {
	tb.Helper()
	all := port.Health(tb.Context())
	if len(all) == 0 {
		tb.Fatal("no component reports its health")
	}
	worst := slices.MaxFunc(all, func(a, b monitor.ComponentHealth) int { return cmp.Compare(a.Status, b.Status) })
	if worst.Status != want || want == monitor.HealthOK && worst.Message != "" {
		tb.Errorf("health is %+v, want %v", all, want)
	}
	return worst
}
