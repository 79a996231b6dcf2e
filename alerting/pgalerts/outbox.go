package pgalerts

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
)

// DeadLetters implements [driver.Outbox]. It skips notifications whose alert cannot
// be decoded and returns an error about them, together with the others.
func (s *Store) DeadLetters(ctx context.Context, q alerting.DeadLetterQuery) (ns []*alerting.Notification, err error) {
	f, err := deadLetterFilter(q.Organization)
	if err != nil {
		return nil, err
	}
	if q.Route != "" {
		f.add(`n.route = #`, q.Route)
	}
	limit := f.expression(` ORDER BY n.sequence, n.route LIMIT #`, q.Limit)
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

// Redrive implements [driver.Outbox]. The number may be too low if a connection
// breaks.
func (s *Store) Redrive(ctx context.Context, organization, route string) (n int, err error) {
	f, err := deadLetterFilter(organization)
	if err != nil {
		return 0, err
	}
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
	return n, err
}

const redrive = `
UPDATE auditwarden_alert_outbox AS n
SET dead = false, attempts = 0, due_at = now(), created_at = greatest(now(), n.created_at + interval '1 microsecond')
FROM old
WHERE n.organization_id = old.organization_id AND n.alert_id = old.alert_id
	AND n.route = old.route AND n.idempotency_key = old.idempotency_key`

// deadLetterFilter returns the filter for the dead letters of one organization or of
// all. The query must name the outbox n.
func deadLetterFilter(organization string) (*filter, error) {
	if err := checkOrganization(organization); err != nil {
		return nil, err
	}
	f := &filter{}
	f.add(`n.dead`)
	if organization != alerting.AllOrganizations {
		f.add(`n.organization_id = #`, organization)
	}
	return f, nil
}

// Backlog implements [driver.Outbox].
func (s *Store) Backlog(ctx context.Context) (alerting.Backlog, error) {
	backlog := alerting.Backlog{Dropped: map[string]int64{
		driver.DroppedTooOld: s.tooOld.Load(), driver.DroppedNoSuchRoute: s.noSuchRoute.Load(),
	}}
	err := s.read(ctx, alerting.AllOrganizations, func(b *pgx.Batch) {
		b.Queue(countWaiting).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&backlog.Waiting, (*zeronull.Timestamptz)(&backlog.OldestAt))
			backlog.OldestAt = backlog.OldestAt.UTC()
			return err
		})
		b.Queue(countDead).QueryRow(func(row pgx.Row) error { return row.Scan(&backlog.Dead) })
	})
	return backlog, err
}

const (
	countWaiting = `SELECT count(*), min(created_at) FROM auditwarden_alert_outbox WHERE NOT dead`
	countDead    = `SELECT count(*) FROM auditwarden_alert_outbox WHERE dead`
)
