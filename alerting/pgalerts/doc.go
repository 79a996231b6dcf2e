// Package pgalerts stores alerts in PostgreSQL 15 or later, which any number of
// instances of a service can share.
//
//	pool, err := pgxpool.New(ctx, url) // the application's, with its limits
//	err = pgalerts.Migrate(ctx, pool)
//	store, err := pgalerts.New(pool, nil)
//	alerts, err := alerting.NewManager(store, nil)
//
// # What it promises
//
// It passes alertingtest.RunStore. A unique index ensures that an organization has at
// most one open alert per fingerprint, and a row per event key ensures that an alert
// counts each event once. An alert, its history, occurrences and outbox are written
// in one transaction, so that they are consistent after a crash. If the response to a
// commit is lost, the repeated operation detects that the commit took effect.
//
// An operation is tried again after a conflict between transactions, a broken
// connection or a restart of the server, see [Options]. After a failover, when a
// server only reads, the store resets the pool. Other errors are returned at once; if
// the server can never store an input, they are a monitor.ErrPermanent. Every
// operation ends when its context does. If the context has no deadline, the operation
// waits for a server that hangs. StoreOccurrences waits five seconds for a lock, or as
// long as the connection's lock_timeout if that is less.
//
// If the settings of an organization cannot be used, because somebody has edited the
// row or the machine does not know their time zone, its alerts are stored with the
// default settings. [Store.RunTimers] and [Store.Settings] then return an error.
//
// # Connections
//
// A store works in each of pgx's modes to execute queries (default_query_exec_mode).
// It keeps nothing in a session, so that it works through a pooler such as PgBouncer
// with pool_mode = transaction, too. There, the modes cache_describe, describe_exec,
// exec and simple_protocol need nothing else. The default, cache_statement, needs a
// pooler that follows prepared statements: PgBouncer 1.21 or later with
// max_prepared_statements above 0. Others cause errors with SQLSTATE 26000 or 42P05.
// PgBouncer with pool_mode = statement cannot be used, since a store needs
// transactions.
//
// # Schema
//
// [Migrate] creates the tables auditwarden_alerts, auditwarden_alert_history,
// auditwarden_alert_occurrences, auditwarden_alert_outbox and
// auditwarden_alert_settings in the first schema of the pool's search_path. A role
// that is not their owner needs SELECT, INSERT, UPDATE and DELETE on them, and SELECT
// on auditwarden_alert_migrations. The view auditwarden_reference_alerts shows the
// alerts with the column names that docs/compatibility.md describes.
//
// Listings are sorted by created_at, which is the server's time. Times have
// microsecond precision. In texts, U+FFFD replaces NUL, which PostgreSQL cannot
// store, and invalid UTF-8. An organization that contains either or has more than
// 1,000 bytes is an alerting.InvalidError.
//
// # Outbox
//
// Each occurrence that causes a notification, each escalation and each change of
// status inserts a row into auditwarden_alert_outbox in its transaction. A call of
// ClaimNotifications first replaces rows without a route by one row per route, and
// then updates the rows that it claims: due_at becomes the end of the lease, and
// attempts identifies the claim. It skips rows that other instances are claiming. An
// alert is locked while its rows are inserted, so that their sequence numbers follow
// the order of its changes.
//
// # Timers
//
// The column timer_due is the time at which [Store.RunTimers] must check an open
// alert. It has a partial index. Concurrent calls skip each other's alerts. When new
// settings change suppressions, silences, escalations or automatic resolution,
// RunTimers computes the timers of all open alerts of the organization again, 500 in
// a transaction. Saving settings locks nothing but the organization's row.
package pgalerts
