package alerting

import (
	"cmp"
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// An Outbox is the part of a [Store] that keeps notifications until they are
// delivered. What writes an alert writes its notifications at the same moment, so
// that no crash separates them.
//
// A notification is written without a route. Whoever claims it there says which
// routes it takes; it becomes one of each of these, is claimed there, and stays
// until it is delivered or a dead letter. A claim is a lease: whoever does not
// settle in time loses it to somebody else. Of the notifications of an alert that
// wait on a route only the oldest can be claimed, so that they are delivered in
// order.
//
// A notification goes with its alert when that is purged.
type Outbox interface {
	// ClaimNotifications hands out up to limit notifications that are due on
	// a route, those of all organizations, and first those that have been due
	// longest: what fails again and again must not keep back the rest. The empty
	// route has those that were not routed. Nobody else can claim them for the
	// lease.
	ClaimNotifications(ctx context.Context, route string, limit int, lease time.Duration) ([]*Notification, error)
	// SettleNotifications records what became of notifications that were
	// claimed. One that somebody else has claimed meanwhile is left alone unless
	// it was delivered.
	SettleNotifications(ctx context.Context, settlements []Settlement) error
	// DeadLetters returns the notifications that were given up, oldest first.
	// An error is the last thing that the sequence yields.
	DeadLetters(ctx context.Context, q DeadLetterQuery) iter.Seq2[*Notification, error]
	// Redrive makes the dead letters of a route due again, with all attempts,
	// and returns how many there were. The organization may be
	// [AllOrganizations].
	Redrive(ctx context.Context, organization, route string) (int, error)
	// Backlog tells how many notifications there are, of all organizations.
	Backlog(ctx context.Context) (Backlog, error)
}

// An Outcome says what became of a notification that was claimed.
type Outcome uint8

// The outcomes.
const (
	// OutcomeDelivered ends a notification.
	OutcomeDelivered Outcome = iota
	// OutcomeRouted replaces a notification without route by one of each of the
	// routes that it takes. There may be none.
	OutcomeRouted
	// OutcomeRetry makes it due again after a while.
	OutcomeRetry
	// OutcomeDead makes it a dead letter.
	OutcomeDead
)

// A Settlement is the outcome for a notification.
type Settlement struct {
	// Notification is what was claimed.
	Notification *Notification
	Outcome      Outcome
	// Routes are those of OutcomeRouted.
	Routes []string
	// RetryAfter is the time until OutcomeRetry makes it due.
	RetryAfter time.Duration
	// Failure is why, for OutcomeRetry and OutcomeDead.
	Failure string
}

// A DeadLetterQuery selects dead letters.
type DeadLetterQuery struct {
	// Organization is whose: one, or [AllOrganizations].
	Organization string
	// Route is the name of the route. Empty means all.
	Route string
	// Limit is the number of dead letters, at most [MaxLimit]. Defaults to
	// [DefaultLimit].
	Limit int
}

// Validate says what is wrong with the query.
func (q *DeadLetterQuery) Validate() error {
	if err := validateScope(q.Organization); err != nil {
		return err
	}
	return validateLimit("DeadLetterQuery.Limit", q.Limit)
}

// PageSize returns Limit or its default.
func (q *DeadLetterQuery) PageSize() int { return cmp.Or(q.Limit, DefaultLimit) }

// A Backlog is the size of an outbox.
type Backlog struct {
	// Waiting are the notifications to be routed or delivered, and OldestAt is
	// when the oldest of them became due first, zero if there is none.
	Waiting  int
	OldestAt time.Time
	// Dead are the dead letters.
	Dead int
	// Dropped counts the notifications that a bound of this store gave up since
	// it was made.
	Dropped int64
	// Volatile means that what waits is lost when the process ends.
	Volatile bool
}

// OccurrenceNotification returns the key and the reason of the notification that
// an occurrence makes due, which opened the alert or joined it.
func OccurrenceNotification(alertID string, occurrence monitor.EventKey, stored monitor.StoreResult) (key string, r Reason) {
	r = ReasonRepeated
	if stored == monitor.StoredNew {
		r = ReasonOpened
	}
	return alertID + "/" + occurrence.String(), r
}

// ChangeNotification returns the key and the reason of the notification of a
// change of status.
func ChangeNotification(alertID string, c *Change) (key string, r Reason) {
	switch c.To {
	case monitor.AlertAcknowledged:
		r = ReasonAcknowledged
	case monitor.AlertResolved:
		r = ReasonResolved
	case monitor.AlertDismissed:
		r = ReasonDismissed
	case monitor.AlertActive:
		r = ReasonReopened
	}
	return alertID + "/version-" + strconv.FormatInt(c.Version, 10), r
}

// EscalationNotification returns the key of the notification of an escalation: the
// step, from 1 on, of those that begin with that version of the alert.
func EscalationNotification(alertID string, version int64, step int) (key string, r Reason) {
	return alertID + "/version-" + strconv.FormatInt(version, 10) + "/step-" + strconv.Itoa(step), ReasonEscalated
}
