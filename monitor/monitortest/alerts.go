package monitortest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

// Alerts is a [monitor.AlertHandler] that records what it is handed. The zero
// value is ready to use; it is safe for concurrent use.
type Alerts struct {
	mu     sync.Mutex
	alerts []*monitor.Alert
	err    error
}

// HandleAlert records the alert, or returns the error that was set.
func (a *Alerts) HandleAlert(_ context.Context, alert *monitor.Alert) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	a.alerts = append(a.alerts, alert)
	return nil
}

// FailWith makes every further call of HandleAlert return the error and record
// nothing, until it is called with nil.
func (a *Alerts) FailWith(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

// All returns the recorded alerts in the order of arrival.
func (a *Alerts) All() []*monitor.Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.alerts)
}

// Want checks that the recorded alerts are of these rules, in this order.
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
