package alerting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Reason says why there is a notification.
type Reason string

// The reasons: an occurrence that was due, an escalation, a change of the alert's
// status.
const (
	ReasonOpened       Reason = "opened"
	ReasonRepeated     Reason = "repeated"
	ReasonEscalated    Reason = "escalated"
	ReasonAcknowledged Reason = "acknowledged"
	ReasonResolved     Reason = "resolved"
	ReasonDismissed    Reason = "dismissed"
	ReasonReopened     Reason = "reopened"
)

// Reasons returns all of them.
func Reasons() []Reason {
	return []Reason{
		ReasonOpened, ReasonRepeated, ReasonEscalated,
		ReasonAcknowledged, ReasonResolved, ReasonDismissed, ReasonReopened,
	}
}

// A Notification is to tell somebody about an alert.
type Notification struct {
	// Key is the idempotency key: the same however often and wherever the
	// notification is delivered, and no other's.
	Key    string
	Reason Reason
	// Alert is a copy of the alert as it stood when the notification was handed
	// out: that of an alert which was resolved meanwhile says so.
	Alert *monitor.Alert
	// CreatedAt is the store's time when it became due.
	CreatedAt time.Time
	// Route is the name of the route that it takes, empty until it is routed.
	Route string
	// Targets are the names of the routes that an escalation goes to; none
	// means those that match.
	Targets []string
	// Attempts counts the times that it was handed out on its route, this one
	// included.
	Attempts int
	// Failure is why the last attempt that failed did.
	Failure string
}

// A Notifier delivers notifications. It is safe for concurrent use, and may be
// given a notification again, with the same Key, after it was delivered: when an
// instance dies or an answer is lost. An error that is a [DeliveryError] says when
// to try again, or not to; any other is tried again.
type Notifier interface {
	Notify(ctx context.Context, n *Notification) error
}

// NotifierFunc makes a function a [Notifier].
type NotifierFunc func(ctx context.Context, n *Notification) error

// Notify calls f.
func (f NotifierFunc) Notify(ctx context.Context, n *Notification) error { return f(ctx, n) }

// A DeliveryError is the error of a [Notifier] that knows more about it.
type DeliveryError struct {
	// Permanent means that the destination will never accept this notification:
	// it becomes a dead letter at once.
	Permanent bool
	// RetryAfter is how long the destination wants to be left alone.
	RetryAfter time.Duration
	// Err is what happened. It must not contain a secret.
	Err error
}

func (e *DeliveryError) Error() string {
	switch {
	case e.Permanent:
		return fmt.Sprintf("refused for good: %v", e.Err)
	case e.RetryAfter > 0:
		return fmt.Sprintf("%v; to be tried again after %v", e.Err, e.RetryAfter)
	}
	return fmt.Sprint(e.Err)
}

func (e *DeliveryError) Unwrap() error { return e.Err }

// details returns what a notifier's error says about it, as far as that is
// believed.
func details(err error) (permanent bool, retryAfter time.Duration) {
	if e, ok := errors.AsType[*DeliveryError](err); ok && e != nil {
		return e.Permanent, min(e.RetryAfter, maxRetryAfter)
	}
	return false, 0
}
