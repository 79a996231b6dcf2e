package alerting

import (
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// ErrTransition says that the alert's status does not allow the change. It is
// always a [TransitionError], which names the two statuses.
var ErrTransition = errors.New("transition not allowed")

// A TransitionError says that the lifecycle does not have a change of status. It
// is an [ErrTransition].
type TransitionError struct {
	From, To monitor.AlertStatus
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("an alert that is %s cannot become %s", e.From, e.To)
}

// Is reports whether target is [ErrTransition].
func (e *TransitionError) Is(target error) bool { return target == ErrTransition }

// SystemActor is the actor who resolves alerts that were quiet for long enough.
const SystemActor = "auditwarden"

// A Change is one row of an alert's history: a change of its status.
type Change struct {
	// From is empty in the first row, which says that the alert was opened.
	From monitor.AlertStatus `json:"from,omitempty"`
	To   monitor.AlertStatus `json:"to"`
	// By is who made the change; for the opening it is the alert's source.
	By   string `json:"by"`
	Note string `json:"note,omitempty"`
	// At is the store's time.
	At time.Time `json:"at"`
	// Version is that of the alert after the change.
	Version int64 `json:"version"`
}
