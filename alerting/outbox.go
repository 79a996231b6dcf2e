package alerting

import "time"

// An Outcome says what became of a delivery.
type Outcome uint8

// The outcomes.
const (
	// OutcomeDelivered means that the destination has taken the notification.
	OutcomeDelivered Outcome = iota
	// OutcomeRetry means that the notification will be delivered again later.
	OutcomeRetry
	// OutcomeDead means that the notification became a dead letter, since the
	// destination will not take it or it has expired.
	OutcomeDead
)

// A Delivery is an attempt to deliver a notification, and what became of it.
type Delivery struct {
	// Notification is what was delivered on its Route. Its Failure says why the
	// attempt failed, if it did.
	Notification *Notification
	Outcome      Outcome
	// RetryAfter is the time until the next attempt, for OutcomeRetry.
	RetryAfter time.Duration
}

// A Backlog is the size of an outbox.
type Backlog struct {
	// Waiting is the number of notifications that are to be delivered. OldestAt
	// is when the oldest of them became due first, zero if there is none.
	Waiting  int
	OldestAt time.Time
	// Dead is the number of dead letters.
	Dead int
	// Dropped counts by reason the notifications that this store has dropped
	// since it was made: "too_old", "no_such_route" and "too_many".
	Dropped map[string]int64
	// Volatile means that what waits is lost when the process ends.
	Volatile bool
}
