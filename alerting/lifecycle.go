package alerting

import (
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// ErrTransition means that the current status of the alert does not allow the change.
// The error is always a [TransitionError], which has both statuses.
var ErrTransition = errors.New("transition not allowed")

// A TransitionError means that the lifecycle does not allow a change between two
// statuses. [errors.Is] matches it with [ErrTransition].
type TransitionError struct {
	From, To monitor.AlertStatus
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("an alert that is %s cannot become %s", e.From, e.To)
}

// Is reports whether target is [ErrTransition].
func (e *TransitionError) Is(target error) bool { return target == ErrTransition }

// SystemActor is the [Change] By of alerts that are resolved automatically.
const SystemActor = "auditwarden"

// A Change is a record of an alert's history: its opening or a change of status.
type Change struct {
	// From is empty for the opening of the alert.
	From monitor.AlertStatus `json:"from,omitempty"`
	To   monitor.AlertStatus `json:"to"`
	// By is who made the change. For the opening it is the alert's Source.
	By   string `json:"by"`
	Note string `json:"note,omitempty"`
	// At is when the change was made, by the store's clock.
	At time.Time `json:"at"`
	// Version is the alert's version after the change.
	Version int64 `json:"version"`
}
