// Package pgalerts keeps alerts in PostgreSQL 15 or later, for services that run
// as any number of instances.
//
//	pool, err := pgxpool.New(ctx, url) // the application's, with its limits
//	err = pgalerts.Migrate(ctx, pool)
//	store, err := pgalerts.New(pool, nil)
//	alerts, err := alerting.NewManager(store, nil)
//
// # What it promises
//
// It passes alertingtest.RunStore. A unique index allows one open alert for an
// organization and fingerprint, whatever instances do at once. An event is counted
// once per alert, since its key is a row. Alert, history, occurrences and outbox are
// written in one transaction, so that they agree after any crash. A commit whose
// response was lost is found to have taken effect when the call is repeated.
//
// Operations are tried again if transactions are in conflict, the connection breaks
// or the server restarts, see [Options]. All other errors are returned at once. A
// context's deadline ends every operation. Without a deadline, a server that hangs
// is waited for.
//
// If the settings of an organization cannot be read, because somebody has edited the
// row or this machine does not know their time zone, its alerts are stored by the
// default settings. [Store.RunTimers] and [Store.Settings] return an error about it.
//
// # Schema
//
// [Migrate] makes the tables auditwarden_alerts, auditwarden_alert_history,
// auditwarden_alert_occurrences, auditwarden_alert_outbox and
// auditwarden_alert_settings in the first schema of the pool's search_path. A role
// that is not their owner needs SELECT, INSERT, UPDATE and DELETE on them and
// SELECT on auditwarden_alert_migrations. The view auditwarden_reference_alerts
// has the alerts under the column names that docs/compatibility.md lists.
//
// Listings are sorted by created_at, the time of the server. Times have whole
// microseconds. In texts a NUL, which PostgreSQL cannot store, is replaced by U+FFFD,
// and so is what is not UTF-8. An organization with either, or of more than 1,000
// bytes, is refused.
//
// # Outbox
//
// Every occurrence that is due, escalation and change of status inserts a row into
// auditwarden_alert_outbox, in the transaction that makes the change. A claim first
// puts rows that have no route on the routes that they take, and then updates those
// that it claims: due_at says how long the claim lasts, and attempts whose it is. It
// skips rows that others are claiming, so that instances share the work. An alert's
// rows are written while the alert is locked, so that their sequence is the order of
// events. They are deleted together with the alert.
//
// # Timers
//
// The column timer_due says when [Store.RunTimers] has to look at an open alert. A
// partial index finds the alerts that are due. Instances that look at the same time
// skip each other's. When settings change escalations or automatic resolution, all
// timers of their organization become due, so that they are set again.
package pgalerts
