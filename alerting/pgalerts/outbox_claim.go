package pgalerts

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
)

// ClaimNotifications implements [driver.Outbox]. It takes one round trip. If the
// response is lost, what it claimed is due again when the lease ends.
//
// Organizations take turns in the order of their names. Each store remembers which
// was the last.
//
// It skips notifications whose alert cannot be decoded, and returns an error about
// them only if it can claim no others.
func (s *Store) ClaimNotifications(
	ctx context.Context, route string, routes []alerting.Route, paused []string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	conditions, err := conditionsOf(routes)
	if err != nil {
		return nil, err
	}
	for {
		var claimed []*alerting.Notification
		var broken []error
		var r routing
		last, _ := s.turns.Load(route)
		var next string
		err := s.read(ctx, alerting.AllOrganizations, func(b *pgx.Batch) {
			queueRouting(b, conditions, &r)
			b.Queue(claimNotifications, route, limit, lease, cleanAll(paused), last).Query(func(rows pgx.Rows) (err error) {
				claimed, broken, err = collectNotifications(rows, &next)
				return err
			})
		})
		if err != nil {
			return nil, err
		}
		s.tooOld.Add(r.tooOld)
		s.noSuchRoute.Add(r.noSuchRoute)
		switch {
		case len(claimed) > 0:
			s.turns.Store(route, next)
			return claimed, nil
		case !r.more:
			return nil, errors.Join(broken...)
		}
	}
}

const (
	// claimable are the conditions under which n can be claimed on route $1.
	claimable = `n.route = $1 AND NOT n.dead AND n.due_at <= now() AND NOT EXISTS (
			SELECT 1 FROM auditwarden_alert_outbox AS older -- on this route, or not yet on any
			WHERE older.organization_id = n.organization_id AND older.alert_id = n.alert_id AND older.route IN (n.route, '')
				AND older.sequence < n.sequence AND NOT older.dead
		)`

	// claimNotifications goes from one organization to the next, beginning after that
	// of the last turn, until there are enough. It looks for twice as many, since others
	// may be claiming the same. However many notifications an organization has, it reads
	// those that have been due longest.
	claimNotifications = `
WITH RECURSIVE turn AS (
	SELECT coalesce($5::text, '') AS organization_id, false AS again, false AS ready, 0 AS number, 0 AS found
	UNION ALL
	SELECT next.organization_id, next.again, next.ready, turn.number + 1, turn.found + next.ready::int
	FROM turn CROSS JOIN LATERAL (
		SELECT o.organization_id, o.again, o.organization_id <> ALL ($4::text[]) AND (
			SELECT true FROM auditwarden_alert_outbox AS n WHERE n.organization_id = o.organization_id AND ` + claimable + `
			ORDER BY due_at, sequence LIMIT 1
		) IS NOT NULL AS ready
		FROM (
			( -- the next name
				SELECT organization_id, turn.again FROM auditwarden_alert_outbox
				WHERE route = $1 AND NOT dead AND organization_id > turn.organization_id
				ORDER BY organization_id LIMIT 1
			)
			UNION ALL
			( -- or the first
				SELECT organization_id, true FROM auditwarden_alert_outbox
				WHERE route = $1 AND NOT dead AND NOT turn.again
				ORDER BY organization_id LIMIT 1
			)
			LIMIT 1
		) AS o
		WHERE NOT o.again OR o.organization_id <= coalesce($5::text, '')
		OFFSET 0 -- looks for a claimable one once
	) AS next
	WHERE turn.found < $2 * 2
), ready AS (
	SELECT organization_id, number, count(*) OVER () AS organizations FROM turn WHERE ready
), due AS (
	SELECT ready.organization_id, n.alert_id, n.idempotency_key, ready.number,
		row_number() OVER (PARTITION BY ready.number ORDER BY n.due_at, n.sequence) AS round
	FROM ready CROSS JOIN LATERAL (
		SELECT alert_id, idempotency_key, due_at, sequence FROM auditwarden_alert_outbox AS n
		WHERE n.organization_id = ready.organization_id AND ` + claimable + `
		ORDER BY due_at, sequence
		LIMIT greatest($2 - ready.organizations + 1, $2 * 2 / ready.organizations) -- the others have one each
	) AS n
), first AS (
	SELECT due.organization_id, due.alert_id, due.idempotency_key, due.round, due.number
	FROM (SELECT organization_id, alert_id, idempotency_key, round, number FROM due ORDER BY round, number LIMIT $2 * 2) AS due
	CROSS JOIN LATERAL (
		SELECT 1 FROM auditwarden_alert_outbox
		WHERE organization_id = due.organization_id AND alert_id = due.alert_id
			AND route = $1 AND idempotency_key = due.idempotency_key AND NOT dead AND due_at <= now()
		FOR UPDATE SKIP LOCKED
	) AS locked
	LIMIT $2
), n AS (
	UPDATE auditwarden_alert_outbox AS n
	SET due_at = clock_timestamp() + $3::interval, attempts = n.attempts + 1
	FROM first
	WHERE n.organization_id = first.organization_id AND n.alert_id = first.alert_id
		AND n.route = $1 AND n.idempotency_key = first.idempotency_key
	RETURNING n.*, first.round, first.number
)
SELECT ` + notificationColumns + `, first_value(n.organization_id) OVER (ORDER BY n.round DESC, n.number DESC)
FROM n` + withAlert + `
ORDER BY n.sequence`
)
