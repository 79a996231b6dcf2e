package alerting

import "time"

// An Outcome is the result of one attempt to deliver a notification.
type Outcome uint8

// The outcomes.
const (
	// OutcomeDelivered means that the destination accepted the notification.
	OutcomeDelivered Outcome = iota
	// OutcomeRetry means that the attempt failed and another one follows.
	OutcomeRetry
	// OutcomeDead means that the notification became a dead letter, because the
	// destination refused it permanently or it has expired.
	OutcomeDead
)

// A Delivery is one attempt to deliver a notification, and its outcome.
type Delivery struct {
	// Notification is what was delivered on its Route. Its Failure is set if this
	// failed.
	Notification *Notification
	Outcome      Outcome
	// RetryAfter is the time until the next attempt, only set for OutcomeRetry.
	RetryAfter time.Duration
}

// A Backlog is the number of notifications in an outbox.
type Backlog struct {
	// Waiting is the number of undelivered notifications that are not dead letters.
	// OldestAt is the CreatedAt of the oldest one, zero if there is none.
	Waiting  int
	OldestAt time.Time
	// Dead is the number of dead letters.
	Dead int
	// Dropped is the number of notifications that this store has dropped since it was
	// created, by reason: "too_old" (older than the ExpireAfter of a route, or not
	// claimed on any route for seven days), "no_such_route" (a target of an escalation
	// does not exist or does not accept the alert) or "too_many" (a limit of the store
	// was reached).
	Dropped map[string]int64
	// Volatile means that the outbox is lost when the process ends.
	Volatile bool
}
