package monitortest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

// Alerts is a [monitor.AlertStorer] that records a new alert for every occurrence.
// The zero value is ready to use. It is safe for concurrent use.
type Alerts struct {
	mu     sync.Mutex
	alerts []*monitor.Alert
	err    error
}

// StoreOccurrences records an alert for each occurrence, or returns the error that
// FailWith has set.
func (a *Alerts) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return nil, a.err
	}
	return monitor.AlertHandlerFunc(a.record).StoreOccurrences(ctx, os)
}

func (a *Alerts) record(_ context.Context, alert *monitor.Alert) error {
	a.alerts = append(a.alerts, alert)
	return nil
}

// FailWith makes every following call of StoreOccurrences return err and record
// nothing, until FailWith is called with nil.
func (a *Alerts) FailWith(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

// All returns the recorded alerts in the order in which they were recorded.
func (a *Alerts) All() []*monitor.Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.alerts)
}

// Want checks that the recorded alerts are from exactly these rules, in this
// order.
func (a *Alerts) Want(tb testing.TB, rules ...string) {
	tb.Helper()
	var got []string
	for _, alert := range a.All() {
		got = append(got, alert.Finding.Rule)
	}
	if !slices.Equal(got, rules) {
		tb.Errorf("alerts of the rules %q, want %q", got, rules)
	}
}
