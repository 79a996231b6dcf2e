package driver

import (
	"context"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// A Store keeps alerts. It must be safe for concurrent use.
//
// Whatever it is given was validated: organizations are not empty and have no NUL,
// queries have a limit and a period, occurrences and settings are complete, an
// actor and a note can be stored. Organization is [alerting.AllOrganizations] for
// List, Count, Statistics, DeadLetters and Redrive only. A store may refuse what it
// cannot represent, such as a name that is too long, with an
// [alerting.InvalidError].
//
// Every method but RunTimers and those of the outbox is about one organization.
// An alert of another organization is [monitor.ErrNotFound], like one that does
// not exist. What a method returns belongs to the caller. Errors say what happened
// and not which method was called, since the manager adds that.
//
// A store may also be a [monitor.Runner] and a [monitor.HealthReporter]; the manager
// runs and asks it.
type Store interface {
	// StoreOccurrences opens an alert for each occurrence, or adds it to the open
	// alert of its organization and fingerprint: all of them or, with an error,
	// none. An occurrence whose event key is known to that alert, or to the
	// fingerprint's last alert if none is open, is not counted again, so that the
	// call may be repeated. The occurrences are valid during the call only.
	monitor.AlertStorer

	// Change changes the status of an alert and returns the alert as it is then.
	// The reference may name the version that the alert must have, see
	// [ChangeStatus]. An alert cannot be reopened while another alert of its
	// fingerprint is open: that is a [monitor.ErrConflict]. Of two concurrent
	// changes to the same status one succeeds.
	Change(ctx context.Context, ref monitor.AlertRef, to monitor.AlertStatus, by, note string) (*monitor.Alert, error)
	// Get returns an alert and the changes of its status, oldest first.
	Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, []alerting.Change, error)
	// List returns a page of the alerts that match, newest first. Alerts that
	// exist throughout appear exactly once on the pages of a listing, whatever is
	// written meanwhile.
	List(ctx context.Context, q alerting.Query) ([]*monitor.Alert, error)
	// Count returns the number of alerts that match, on all pages together.
	Count(ctx context.Context, q alerting.Query) (int, error)
	// Statistics summarizes the alerts.
	Statistics(ctx context.Context, q alerting.StatisticsQuery) (*alerting.Statistics, error)
	// Purge deletes the alerts that were closed before that time, with their
	// history and notifications, and returns their number. Open alerts stay.
	Purge(ctx context.Context, organization string, before time.Time) (int, error)

	// Settings returns the settings that the organization saved last, or zero
	// settings.
	Settings(ctx context.Context, organization string) (alerting.Settings, error)
	// SaveSettings replaces an organization's settings and returns them with
	// their new version. See [Policy.Save].
	SaveSettings(ctx context.Context, organization string, s alerting.Settings, by string) (alerting.Settings, error)
	// RunTimers escalates and resolves the open alerts of all organizations whose
	// timers are due, and returns how many of each. See [Policy.Tick].
	RunTimers(ctx context.Context) (escalated, resolved int, err error)

	// Outbox has the notifications.
	Outbox
}

// An Outbox is the part of a [Store] that keeps notifications until they are
// delivered. A store writes notifications together with the occurrence, the change
// of status or the escalation that makes them due, so that no crash separates them.
// They are deleted together with their alert.
//
// A notification is written without a route. The first claim that finds it puts it
// on the routes that it takes, of all routes that there are at that time. From then
// on there is one notification per route, and each stays until it is delivered or
// becomes a dead letter.
type Outbox interface {
	// ClaimNotifications hands out up to limit notifications that are due on a
	// route, which is one of the routes. It takes them from all organizations,
	// beginning with those that have been due longest, so that notifications that
	// fail again and again do not hold back the others. Before that it puts the
	// notifications that have no route yet on those of the routes that
	// [RoutesOf] names.
	//
	// A claim is a lease: until it ends nobody else can claim the notification.
	// Of the notifications of an alert that wait on a route only the oldest can be
	// claimed, so that they are delivered in order.
	ClaimNotifications(
		ctx context.Context, route string, routes []alerting.Route, limit int, lease time.Duration,
	) ([]*alerting.Notification, error)
	// SettleNotifications records what became of notifications that were claimed,
	// and their failure. A notification that somebody else has claimed meanwhile
	// is left alone unless it was delivered. One that does not exist is ignored.
	SettleNotifications(ctx context.Context, ds []alerting.Delivery) error
	// DeadLetters returns the dead letters that match, oldest first.
	DeadLetters(ctx context.Context, q alerting.DeadLetterQuery) ([]*alerting.Notification, error)
	// Redrive makes the dead letters of a route due again, with no attempts made,
	// and returns their number.
	Redrive(ctx context.Context, organization, route string) (int, error)
	// Backlog returns the size of the outbox, for all organizations.
	Backlog(ctx context.Context) (alerting.Backlog, error)
}
