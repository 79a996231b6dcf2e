package alerting

import (
	"context"
	"iter"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Store keeps alerts. It is safe for concurrent use.
//
// Every method is scoped by organization. An empty one is
// [monitor.ErrNoOrganization]; an alert of another organization is
// [monitor.ErrNotFound], as one that does not exist. [AllOrganizations] is
// accepted by List, Count and Statistics only. What is returned belongs to the
// caller. Bad input is an [InvalidError].
type Store interface {
	// StoreOccurrences opens an alert for each occurrence or adds it to the open
	// alert of the same organization and fingerprint. An occurrence whose event
	// key is known to that alert, or to the fingerprint's last alert if none is
	// open, is not counted again. See [monitor.AlertStorer] for the rest.
	monitor.AlertStorer

	// Acknowledge records that somebody looks after an active alert. Like
	// Resolve, Dismiss and Reopen it needs to know by whom, takes a note that
	// may be empty, and returns the alert as it is then. A change that the
	// alert's status does not allow is a [TransitionError]: of two concurrent
	// acknowledgements one succeeds.
	Acknowledge(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error)
	// Resolve ends the incident of an open alert.
	Resolve(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error)
	// Dismiss ends the incident of an open alert that needed no answer.
	Dismiss(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error)
	// Reopen makes a closed alert active again. It is a [monitor.ErrConflict]
	// if another alert of its fingerprint is open.
	Reopen(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error)

	// Get returns an alert.
	Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error)
	// History returns the changes of an alert's status, oldest first.
	History(ctx context.Context, ref monitor.AlertRef) ([]Change, error)
	// List returns a page of the alerts that match, newest first. An error is
	// the last thing that the sequence yields. Alerts that are there throughout
	// appear exactly once on the pages of a listing, whatever is written
	// meanwhile.
	List(ctx context.Context, q Query) iter.Seq2[*monitor.Alert, error]
	// Count returns how many alerts match, on all pages together.
	Count(ctx context.Context, q Query) (int, error)
	// Statistics summarizes the alerts.
	Statistics(ctx context.Context, q StatisticsQuery) (*Statistics, error)
	// Purge deletes the alerts that were closed before that time, with their
	// history, and returns how many there were. Open alerts stay.
	Purge(ctx context.Context, organization string, before time.Time) (int, error)

	// Settings returns what the organization saved last, or zero [Settings].
	Settings(ctx context.Context, organization string) (Settings, error)
	// SaveSettings replaces an organization's settings and returns them with
	// their new version. Their version must be that of the settings they
	// replace, 0 for the first; otherwise the error is [monitor.ErrConflict].
	SaveSettings(ctx context.Context, organization string, s Settings, by string) (Settings, error)

	// Advance does what time has made due, as the settings of the organizations
	// want it: it escalates and resolves open alerts, those of all
	// organizations. It looks at up to limit alerts.
	Advance(ctx context.Context, limit int) (Progress, error)

	// Outbox has the notifications.
	Outbox
}

// Progress is what [Store] Advance did.
type Progress struct {
	// Looked is the number of alerts that it looked at. If that is the limit,
	// there may be more.
	Looked int
	// Escalated and Resolved are how many of them it escalated and resolved.
	Escalated, Resolved int
}
