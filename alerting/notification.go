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

// The reasons. ReasonOpened and ReasonRepeated are for occurrences, and the others
// but ReasonEscalated are for changes of status.
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

// A Notification tells somebody about an alert.
type Notification struct {
	// Key is the idempotency key. It is the same for every attempt and route, and
	// no other notification has it.
	Key    string
	Reason Reason
	// Alert is a copy of the alert at the time of the attempt. An alert that was
	// resolved meanwhile is resolved.
	Alert *monitor.Alert
	// CreatedAt is the store's time when the notification became due.
	CreatedAt time.Time
	// Route is the name of the route that the notification takes.
	Route string
	// Targets are the names of the routes that an escalation asks for. None means
	// those that take its reason.
	Targets []string
	// Attempts counts the attempts on this route, the present one included.
	Attempts int
	// Failure says why the last attempt failed. It is empty if none did.
	Failure string
}

// A Notifier delivers notifications. It must be safe for concurrent use. It may be
// given a notification again after it has delivered it, with the same Key, if an
// instance dies or a response is lost. A [DeliveryError] says when to try again, or
// not to. After any other error the delivery is tried again.
type Notifier interface {
	Notify(ctx context.Context, n *Notification) error
}

// NotifierFunc makes a function a [Notifier].
type NotifierFunc func(ctx context.Context, n *Notification) error

// Notify calls f.
func (f NotifierFunc) Notify(ctx context.Context, n *Notification) error { return f(ctx, n) }

// A DeliveryError is the error of a [Notifier] that knows more about it.
type DeliveryError struct {
	// Permanent means that the destination will never accept this notification. It
	// becomes a dead letter at once.
	Permanent bool
	// RetryAfter is how long the destination wants to be left alone.
	RetryAfter time.Duration
	// Err says what happened. It must not contain a secret.
	Err error
}

func (e *DeliveryError) Error() string {
	switch {
	case e.Permanent:
		return fmt.Sprintf("refused permanently: %v", e.Err)
	case e.RetryAfter > 0:
		return fmt.Sprintf("%v; to be tried again after %v", e.Err, e.RetryAfter)
	}
	return fmt.Sprint(e.Err)
}

func (e *DeliveryError) Unwrap() error { return e.Err }

// maxRetryAfter limits how long a destination can ask to be left alone.
const maxRetryAfter = time.Hour

// details returns what a notifier's error says about it.
func details(err error) (permanent bool, retryAfter time.Duration) {
	if e, ok := errors.AsType[*DeliveryError](err); ok && e != nil {
		return e.Permanent, min(e.RetryAfter, maxRetryAfter)
	}
	return false, 0
}
