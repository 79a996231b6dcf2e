package alerting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Reason says what caused a notification.
type Reason string

// The reasons. ReasonOpened is that of the first notification which the occurrences of
// an alert cause, and ReasonRepeated that of further ones. So whoever asks for openings
// only hears of every alert once, even if a [Suppression] held it back, or if it was
// closed or reopened before. ReasonEscalated means
// an [Escalation], and each of the others means a change of status.
const (
	ReasonOpened       Reason = "opened"
	ReasonRepeated     Reason = "repeated"
	ReasonEscalated    Reason = "escalated"
	ReasonAcknowledged Reason = "acknowledged"
	ReasonResolved     Reason = "resolved"
	ReasonDismissed    Reason = "dismissed"
	ReasonReopened     Reason = "reopened"
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{
		ReasonOpened, ReasonRepeated, ReasonEscalated,
		ReasonAcknowledged, ReasonResolved, ReasonDismissed, ReasonReopened,
	}
}

// A Notification informs somebody about an alert on one route.
type Notification struct {
	// Key is the idempotency key, the same for all attempts and routes.
	Key    string
	Reason Reason
	// Alert is a copy of the alert in its state at the time of the attempt.
	Alert *monitor.Alert
	// CreatedAt is the store's time when the notification was created or redriven. Its
	// age, by which it expires, is counted from then; that of the incident is in the
	// alert.
	CreatedAt time.Time
	// Route is the name of the route on which it is delivered.
	Route string
	// Targets are the names of the routes that an escalation asks for. If empty, the
	// notification takes the routes that accept its reason.
	Targets []string
	// Attempts is the number of attempts on this route, including the current one.
	Attempts int
	// Failure says why the last failed attempt failed, empty if none failed. The tenant
	// may see it: it is the text of the notifier's [DeliveryError], and says nothing
	// more of any other error.
	Failure string
}

// A Notifier delivers notifications to a destination. It must be safe for concurrent
// use. It may receive a notification again after it has delivered it, with the same
// Key, if an instance crashes or a response is lost. It returns a [DeliveryError] to
// say whether and when to try again; after any other error the delivery is retried.
type Notifier interface {
	Notify(ctx context.Context, n *Notification) error
}

// A NotifierFunc is a function that is a [Notifier].
type NotifierFunc func(ctx context.Context, n *Notification) error

// Notify calls f.
func (f NotifierFunc) Notify(ctx context.Context, n *Notification) error { return f(ctx, n) }

// A DeliveryError is an error of a [Notifier] that says whether and when to retry.
type DeliveryError struct {
	// Permanent means that the destination will never accept this notification, which
	// becomes a dead letter at once.
	Permanent bool
	// Partial means that the destination works and some of the recipients have the
	// notification, so that the route need not pause. The others are tried again
	// unless the error is permanent.
	Partial bool
	// RetryAfter is how long the route must pause for the organization of the alert,
	// limited to one hour.
	RetryAfter time.Duration
	// Err is the cause. Its text becomes the [Notification] Failure, which the tenant
	// may see: it must contain no secret, and no address or name of the operator's.
	Err error
	// Detail is what only the operator may see besides, such as an address. It is
	// logged. It must contain no secret.
	Detail string
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

// maxRetryAfter limits [DeliveryError] RetryAfter.
const maxRetryAfter = time.Hour

// details returns what a notifier's error says about further attempts, and whether the
// destination works.
func details(err error) (permanent, works bool, retryAfter time.Duration) {
	if e, ok := errors.AsType[*DeliveryError](err); ok && e != nil {
		return e.Permanent, e.Permanent || e.Partial, min(e.RetryAfter, maxRetryAfter)
	}
	return false, false, 0
}
