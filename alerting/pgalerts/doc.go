// Package pgalerts keeps alerts in PostgreSQL 15 or later, for services that run
// as any number of instances.
//
//	pool, err := pgxpool.New(ctx, url) // the host's, with the host's limits
//	err = pgalerts.Migrate(ctx, pool)
//	store, err := pgalerts.New(pool, nil)
//	alerts, err := alerting.NewManager(store, nil)
//
// # What it promises
//
// It passes alertingtest.RunStore. An incident has one open alert, whatever
// instances do at once, since a unique index says so. An event is counted once
// per alert, since its key is a row. Alert, history, occurrences and outbox are
// written in one transaction, so that they agree after any crash, and a commit
// whose reply was lost is found to have taken effect when the call is repeated.
//
// Operations that fail because transactions are in conflict, the connection
// broke or the server restarts are tried again, see [Options]; all others fail at
// once. A context's deadline ends every operation. Without one, a server that
// hangs is waited for.
//
// An organization whose settings cannot be read, because somebody has edited the
// row or this machine does not know their time zone, still has its alerts stored,
// by the default settings. [Store.Advance] and [Store.Settings] return an error
// about it.
//
// # Schema
//
// [Migrate] makes the tables auditwarden_alerts, auditwarden_alert_history,
// auditwarden_alert_occurrences, auditwarden_alert_outbox and
// auditwarden_alert_settings in the first schema of the pool's search_path. A role
// that is not their owner needs SELECT, INSERT, UPDATE and DELETE on them and
// SELECT on auditwarden_alert_migrations. The view auditwarden_reference_alerts
// has the alerts under the reference's column names.
//
// An alert has its place in the listing by created_at, the time of the server.
// Times have whole microseconds. In texts a NUL, which PostgreSQL cannot store, is
// replaced by U+FFFD, and so is what is not UTF-8; an organization with either, or
// of more than 1,000 bytes, is refused.
//
// # Outbox
//
// Every occurrence that is due, escalation and change of status puts a row into
// auditwarden_alert_outbox, in the transaction that makes the change. Claims skip
// rows that others are claiming, and instances share the work as they come. A
// claim is an update of its row that says until when it lasts; its number of
// attempts says whose it is. An alert's rows are written while the alert is
// locked, so that their sequence is the order of events, and go with it when it is
// purged.
//
// # Timers
//
// The column timer_due says when [Store.Advance] has to look at an open alert. A
// partial index finds those that are due; instances that look at once skip each
// other's. Settings that change when alerts are escalated or resolved make all
// timers of their organization due, so that they are set again.
package pgalerts
