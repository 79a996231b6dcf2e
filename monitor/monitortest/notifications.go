package monitortest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
)

// Notifications is an [alerting.Notifier] that records what it is given. The zero
// value is ready to use. It is safe for concurrent use.
type Notifications struct {
	mu       sync.Mutex
	recorded []*alerting.Notification
	arrived  chan struct{} // closed at the next notification; nil if nobody waits
}

// Notify records a notification.
func (n *Notifications) Notify(_ context.Context, notification *alerting.Notification) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.recorded = append(n.recorded, notification)
	if n.arrived != nil {
		close(n.arrived)
		n.arrived = nil
	}
	return nil
}

// All returns the recorded notifications in the order in which they were recorded.
func (n *Notifications) All() []*alerting.Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.recorded)
}

// Wait waits until there are at least so many notifications and returns them all. It
// fails the test if its context ends before.
func (n *Notifications) Wait(tb testing.TB, number int) []*alerting.Notification {
	tb.Helper()
	for {
		recorded, arrived := n.next(number)
		if arrived == nil {
			return recorded
		}
		select {
		case <-arrived:
		case <-tb.Context().Done():
			tb.Fatalf("%d notifications, want %d", len(recorded), number)
		}
	}
}

// next returns what was recorded and, if that is not enough, a channel that is closed
// at the next notification.
func (n *Notifications) next(number int) (recorded []*alerting.Notification, arrived <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	recorded = slices.Clone(n.recorded)
	if len(recorded) >= number {
		return recorded, nil
	}
	if n.arrived == nil {
		n.arrived = make(chan struct{})
	}
	return recorded, n.arrived
}
