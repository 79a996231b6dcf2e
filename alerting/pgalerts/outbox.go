package pgalerts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// writeNotification puts a notification into the outbox. The transaction has
// locked the alert, so that those of an alert are committed in their order.
func writeNotification(
	b *pgx.Batch, a *monitor.Alert, key string, reason alerting.Reason, targets []string, now time.Time,
) {
	b.Queue(insertNotification, a.OrganizationID, a.ID, key, reason, now, targets)
}

const insertNotification = `
INSERT INTO auditwarden_alert_outbox (organization_id, alert_id, route, idempotency_key, reason, created_at, due_at, targets)
VALUES ($1, $2, '', $3, $4, $5, $5, coalesce($6::text[], '{}'))`

// ClaimNotifications implements [alerting.Outbox]. What was claimed by a call
// whose answer was lost is due again when the lease ends.
//
// A notification whose alert cannot be decoded is left out. There is an error
// about it when nothing else can be claimed.
func (s *Store) ClaimNotifications(
	ctx context.Context, route string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	if limit <= 0 {
		return nil, nil
	}
	var claimed []*alerting.Notification
	var broken []error
	err := s.read(ctx, alerting.AllOrganizations, func(b *pgx.Batch) {
		b.Queue(claimNotifications, route, limit, lease).Query(func(rows pgx.Rows) (err error) {
			claimed, broken, err = collectNotifications(rows)
			return err
		})
	})
	if err == nil && len(claimed) == 0 {
		err = errors.Join(broken...)
	}
	if err != nil {
		return nil, fmt.Errorf("pgalerts: claim notifications: %w", err)
	}
	return claimed, nil
}

const (
	// notificationColumns are what collectNotifications reads, of the rows n of
	// the outbox.
	notificationColumns = `n.idempotency_key, n.reason, n.created_at, n.route, n.targets, n.attempts, n.failure, a.*`

	// withAlert joins these rows with their alerts.
	withAlert = `
CROSS JOIN LATERAL (
	SELECT ` + alertColumns + ` FROM auditwarden_alerts WHERE organization_id = n.organization_id AND id = n.alert_id
) AS a`

	claimNotifications = `
WITH due AS (
	SELECT organization_id, alert_id, route, idempotency_key
	FROM auditwarden_alert_outbox AS n
	WHERE route = $1 AND NOT dead AND due_at <= now() AND NOT EXISTS (
		SELECT 1 FROM auditwarden_alert_outbox AS older
		WHERE older.organization_id = n.organization_id AND older.alert_id = n.alert_id AND older.route = n.route
			AND older.sequence < n.sequence AND NOT older.dead
	)
	ORDER BY due_at, sequence
	LIMIT $2
	FOR UPDATE SKIP LOCKED
), n AS (
	UPDATE auditwarden_alert_outbox AS n
	SET due_at = clock_timestamp() + $3::interval, attempts = n.attempts + 1
	FROM due
	WHERE n.organization_id = due.organization_id AND n.alert_id = due.alert_id
		AND n.route = due.route AND n.idempotency_key = due.idempotency_key
	RETURNING n.*
)
SELECT ` + notificationColumns + ` FROM n` + withAlert + ` ORDER BY n.sequence`
)

// collectNotifications reads notifications. Of those whose alerts cannot be
// decoded it returns the errors.
func collectNotifications(rows pgx.Rows) (ns []*alerting.Notification, broken []error, err error) {
	for rows.Next() {
		n := &alerting.Notification{}
		var r alertRow
		err := rows.Scan(append([]any{
			&n.Key, &n.Reason, &n.CreatedAt, &n.Route, &n.Targets, &n.Attempts, &n.Failure,
		}, r.targets()...)...)
		if err != nil {
			return nil, nil, err
		}
		n.CreatedAt = n.CreatedAt.UTC()
		if n.Alert, err = r.alert(); err != nil {
			broken = append(broken, err)
			continue
		}
		ns = append(ns, n)
	}
	return ns, broken, rows.Err()
}

// DeadLetters implements [alerting.Outbox]. They are read as a whole when the
// iteration begins.
func (s *Store) DeadLetters(
	ctx context.Context, q alerting.DeadLetterQuery,
) iter.Seq2[*alerting.Notification, error] {
	return func(yield func(*alerting.Notification, error) bool) {
		ns, err := s.deadLetters(ctx, q)
		for _, n := range ns {
			if !yield(n, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, fmt.Errorf("pgalerts: list dead letters: %w", err))
		}
	}
}

func (s *Store) deadLetters(ctx context.Context, q alerting.DeadLetterQuery) (ns []*alerting.Notification, err error) {
	f, err := deadLetterFilter(q)
	if err != nil {
		return nil, err
	}
	if q.Route != "" {
		f.add(`n.route = #`, q.Route)
	}
	limit := f.expression(` ORDER BY n.sequence LIMIT #`, q.PageSize())
	sql := `SELECT ` + notificationColumns + ` FROM auditwarden_alert_outbox AS n` + withAlert + f.where() + limit
	var broken []error
	err = s.read(ctx, q.Organization, func(b *pgx.Batch) {
		b.Queue(sql, f.args...).Query(func(rows pgx.Rows) (err error) {
			ns, broken, err = collectNotifications(rows)
			return err
		})
	})
	return ns, errors.Join(append(broken, err)...)
}

// Redrive implements [alerting.Outbox]. If a connection breaks the number may
// lack some.
func (s *Store) Redrive(ctx context.Context, organization, route string) (int, error) {
	n := 0
	f, err := deadLetterFilter(alerting.DeadLetterQuery{Organization: organization})
	if err == nil {
		f.add(`n.route = #`, route)
		sql := `WITH old AS (
	SELECT organization_id, alert_id, route, idempotency_key FROM auditwarden_alert_outbox AS n` + f.where() + ` FOR UPDATE SKIP LOCKED
)` + redrive
		err = s.read(ctx, organization, func(b *pgx.Batch) {
			b.Queue(sql, f.args...).Exec(func(redriven pgconn.CommandTag) error {
				n = int(redriven.RowsAffected())
				return nil
			})
		})
	}
	if err != nil {
		return 0, fmt.Errorf("pgalerts: redrive: %w", err)
	}
	return n, nil
}

const redrive = `
UPDATE auditwarden_alert_outbox AS n
SET dead = false, attempts = 0, due_at = now(), created_at = now()
FROM old
WHERE n.organization_id = old.organization_id AND n.alert_id = old.alert_id
	AND n.route = old.route AND n.idempotency_key = old.idempotency_key`

// deadLetterFilter returns the filter for the dead letters n of an organization or
// of all.
func deadLetterFilter(q alerting.DeadLetterQuery) (*filter, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if err := checkScope(q.Organization); err != nil {
		return nil, err
	}
	f := &filter{}
	f.add(`n.dead`)
	if q.Organization != alerting.AllOrganizations {
		f.add(`n.organization_id = #`, q.Organization)
	}
	return f, nil
}

// Backlog implements [alerting.Outbox].
func (s *Store) Backlog(ctx context.Context) (alerting.Backlog, error) {
	var backlog alerting.Backlog
	err := s.read(ctx, alerting.AllOrganizations, func(b *pgx.Batch) {
		b.Queue(countWaiting).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&backlog.Waiting, (*zeronull.Timestamptz)(&backlog.OldestAt))
			backlog.OldestAt = backlog.OldestAt.UTC()
			return err
		})
		b.Queue(countDead).QueryRow(func(row pgx.Row) error { return row.Scan(&backlog.Dead) })
	})
	if err != nil {
		return alerting.Backlog{}, fmt.Errorf("pgalerts: count notifications: %w", err)
	}
	return backlog, nil
}

const (
	countWaiting = `SELECT count(*), min(created_at) FROM auditwarden_alert_outbox WHERE NOT dead`
	countDead    = `SELECT count(*) FROM auditwarden_alert_outbox WHERE dead`
)
