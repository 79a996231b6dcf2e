package monitortest

import (
	"context"
	"slices"
	"sync"

	"github.com/auditwarden/auditwarden/monitor"
)

// Alerts is a [monitor.AlertStorer] that records a new alert for every occurrence.
// The zero value is ready to use. It is safe for concurrent use.
type Alerts struct {
	mu     sync.Mutex
	alerts []*monitor.Alert
}

// StoreOccurrences records an alert for each occurrence.
func (a *Alerts) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return monitor.AlertHandlerFunc(a.record).StoreOccurrences(ctx, os)
}

func (a *Alerts) record(_ context.Context, alert *monitor.Alert) error {
	a.alerts = append(a.alerts, alert)
	return nil
}

// All returns the recorded alerts in the order in which they were recorded.
func (a *Alerts) All() []*monitor.Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.alerts)
}
