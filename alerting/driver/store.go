package driver

import (
	"context"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// A Store stores alerts and settings. It must be safe for concurrent use.
//
// The manager has validated all arguments: organizations are not empty and contain no
// NUL, queries have a limit and a period, occurrences and settings are complete, and
// actors and notes can be stored. Only List, Count, Statistics, Purge, DeadLetters and
// Redrive may be called with [alerting.AllOrganizations]. A store may return an
// [alerting.InvalidError] for a value that it cannot store, such as a long name.
//
// Every method except AllSettings, RunTimers and those of the outbox is limited to one
// organization. It returns [monitor.ErrNotFound] for an alert that does not exist or
// belongs to another organization. The caller may change what a method returns.
// Errors must not name the method that was called, since the manager adds that.
//
// A store may also implement [monitor.Runner] and [monitor.HealthReporter]; Run and
// Health of the manager then call it.
type Store interface {
	// StoreOccurrences adds each occurrence to the open alert of its organization and
	// fingerprint, or opens one. It stores all of them or, with an error, none. It
	// refuses what [monitor.Occurrence.Validate] refuses, and nothing else for good.
	//
	// It must not count an event key again that any alert of the fingerprint has
	// counted which is open or was closed within [RedeliveryHorizon]; a call can thus
	// be repeated. The disposition then names that alert. The store must not keep the
	// occurrences after the call.
	monitor.AlertStorer

	// Change changes the status of an alert and returns the changed alert. If the
	// reference has a version it must be the alert's, see [ChangeStatus]. It is a
	// [monitor.ErrConflict] to reopen an alert while another one of its fingerprint
	// is open. Of two concurrent changes to the same status, one succeeds.
	Change(ctx context.Context, ref monitor.AlertRef, to monitor.AlertStatus, by, note string) (*monitor.Alert, error)
	// Get returns an alert and its history, oldest first.
	Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, []alerting.Change, error)
	// Evidence returns what was kept of the Evidence of an alert's occurrences, in any
	// order. The store keeps it as long as [KeepsEvidence] says so.
	Evidence(ctx context.Context, ref monitor.AlertRef) ([]string, error)
	// List returns a page of the matching alerts, newest first. An alert that exists
	// during the whole listing is on exactly one page, whatever is written meanwhile.
	List(ctx context.Context, q alerting.Query) ([]*monitor.Alert, error)
	// Count returns the number of matching alerts on all pages.
	Count(ctx context.Context, q alerting.Query) (int, error)
	// Statistics counts the alerts.
	Statistics(ctx context.Context, q alerting.StatisticsQuery) (*alerting.Statistics, error)
	// Purge deletes the alerts that were closed before the given time, with their
	// history, evidence and notifications, and returns their number. It keeps open alerts.
	Purge(ctx context.Context, organization string, before time.Time) (int, error)
	// Erase deletes the alerts whose key is the name, with their history, evidence and
	// notifications. It does [EraseName] to all others, and deletes the evidence of
	// which [NamesIn] says that it has the name. It returns what it has done,
	// even with an error.
	Erase(ctx context.Context, organization, name string) (alerting.Erased, error)

	// Settings returns the settings that were last saved for the organization, or
	// zero settings if there are none.
	Settings(ctx context.Context, organization string) (alerting.Settings, error)
	// AllSettings returns the settings that were last saved, by organization. Those that
	// it cannot read do not keep it from returning the others together with an error.
	AllSettings(ctx context.Context) (map[string]alerting.Settings, error)
	// SaveSettings replaces an organization's settings and returns them with
	// their new version. See [Policy.Save]. It leaves the timers of existing alerts to
	// RunTimers, so that nobody waits for it however many there are.
	SaveSettings(ctx context.Context, organization string, s alerting.Settings, by string) (alerting.Settings, error)
	// RunTimers escalates or resolves the open alerts of all organizations whose
	// timers are due, see [Policy.Tick], and returns how many. It also notifies of those
	// whose first notification was held back, see [OpeningNotification]. Before that, it
	// computes the timers of alerts whose settings have changed, and drops the
	// notifications that no route has taken for [UnroutedExpiry]. It does this in
	// small steps, so that it delays nothing else.
	RunTimers(ctx context.Context) (escalated, resolved int, err error)

	// Outbox stores the notifications.
	Outbox
}

// An Outbox is the part of a [Store] that stores notifications until they are
// delivered. A store writes a notification atomically with the occurrence, change of
// status or escalation that causes it. It deletes the notifications of an alert
// together with the alert.
//
// A notification is written without a route. The first call of ClaimNotifications
// that finds it replaces it with one notification for each route that it takes; if it
// takes none because none wants it, it is deleted, which is no loss and not counted.
// Notifications stay until they are delivered or their alert is deleted, also as dead
// letters. A store in memory may limit their number.
type Outbox interface {
	// ClaimNotifications claims and returns up to limit notifications that are due on
	// a route, which is one of routes. Organizations take turns, without the paused
	// ones: the notification of each that has been due longest is claimed, then the
	// second of each, and so on. The turns go on from one call to the next. So an
	// organization waits for one notification of each other one at most, and those
	// that keep failing do not delay the others. Before that, it puts notifications
	// without a route on the routes that [RoutesOf] returns.
	//
	// A claim is a lease: until it ends, nobody else can claim the notification. Each
	// claim adds 1 to Attempts. Of the notifications of an alert on a route, only the
	// oldest that is not a dead letter can be claimed, so that they are delivered in
	// order.
	ClaimNotifications(
		ctx context.Context, route string, routes []alerting.Route, paused []string, limit int, lease time.Duration,
	) ([]*alerting.Notification, error)
	// SettleNotifications records the outcome of claimed notifications, and their
	// Failure. It ignores a notification that does not exist, and one that was claimed
	// again or redriven meanwhile, unless it was delivered: the store then has other
	// Attempts or another CreatedAt.
	SettleNotifications(ctx context.Context, ds []alerting.Delivery) error
	// DeadLetters returns the matching dead letters, oldest first.
	DeadLetters(ctx context.Context, q alerting.DeadLetterQuery) ([]*alerting.Notification, error)
	// Redrive makes the dead letters of a route due again, with no attempts made and
	// a CreatedAt that is later than before, and returns their number.
	Redrive(ctx context.Context, organization, route string) (int, error)
	// Backlog returns the size of the outbox for all organizations together.
	Backlog(ctx context.Context) (alerting.Backlog, error)
}
