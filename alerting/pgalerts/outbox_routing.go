package pgalerts

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
)

// routingChunk is the number of notifications that one statement routes. The
// organizations share it.
const routingChunk = 1000

// A routing says whether there may be more to route, and how many notifications were
// dropped.
type routing struct {
	more                bool
	tooOld, noSuchRoute int64
}

// A condition has the conditions of a route. An empty list is no condition.
type condition struct {
	Name          string            `json:"name"`
	Severity      int               `json:"severity"`
	Organizations []string          `json:"organizations"`
	Rules         []string          `json:"rules"`
	Reasons       []alerting.Reason `json:"reasons"`
	ExpireAfter   float64           `json:"expire_after"` // seconds
}

// expireUnrouted drops notifications that no route has taken in time, and reports
// whether there may be more of them.
func (s *Store) expireUnrouted(ctx context.Context) (more bool, errs []error) {
	var dropped int64
	err := s.read(ctx, alerting.AllOrganizations, func(b *pgx.Batch) {
		b.Queue(deleteUnrouted, driver.UnroutedExpiry, routingChunk).Exec(func(deleted pgconn.CommandTag) error {
			dropped = deleted.RowsAffected()
			return nil
		})
	})
	if err != nil {
		return false, []error{err}
	}
	s.tooOld.Add(dropped)
	return dropped == routingChunk, nil
}

// conditionsOf returns the conditions of the routes as JSON text.
func conditionsOf(routes []alerting.Route) (string, error) {
	return document(column(routes, func(r alerting.Route) condition {
		return condition{
			r.Name, int(r.MinSeverity), cleanAll(r.Organizations), cleanAll(r.Rules), r.Reasons, r.ExpireAfter.Seconds(),
		}
	}))
}

// queueRouting queues statements that replace notifications without a route by one
// for each route that they take, as driver.RoutesOf defines. Only one instance routes
// at a time, and the others wait for it, so that they claim what it has routed.
func queueRouting(b *pgx.Batch, conditions string, r *routing) {
	b.Queue(lockRouting)
	b.Queue(routeNotifications, conditions, routingChunk).QueryRow(func(row pgx.Row) error {
		return row.Scan(&r.more, &r.tooOld, &r.noSuchRoute)
	})
}

const (
	lockRouting = `
SELECT pg_advisory_xact_lock('auditwarden_alert_outbox'::regclass::int, 0)
WHERE EXISTS (SELECT 1 FROM auditwarden_alert_outbox WHERE route = '' AND NOT dead)`

	// unrouted are the organizations of notifications without a route.
	unrouted = `unrouted AS (
	(
		SELECT organization_id FROM auditwarden_alert_outbox WHERE route = '' AND NOT dead ORDER BY organization_id LIMIT 1
	)
	UNION ALL
	SELECT next.organization_id FROM unrouted CROSS JOIN LATERAL (
		SELECT organization_id FROM auditwarden_alert_outbox
		WHERE route = '' AND NOT dead AND organization_id > unrouted.organization_id
		ORDER BY organization_id LIMIT 1
	) AS next
)`

	deleteUnrouted = `
WITH RECURSIVE ` + unrouted + `, old AS (
	SELECT unrouted.organization_id, o.alert_id, o.idempotency_key
	FROM unrouted CROSS JOIN LATERAL (
		SELECT alert_id, idempotency_key FROM auditwarden_alert_outbox
		WHERE organization_id = unrouted.organization_id AND route = '' AND NOT dead AND due_at <= now() - $1::interval
		ORDER BY due_at
		LIMIT $2
		FOR UPDATE SKIP LOCKED
	) AS o
	LIMIT $2
)
DELETE FROM auditwarden_alert_outbox AS n USING old
WHERE n.organization_id = old.organization_id AND n.alert_id = old.alert_id AND n.route = '' AND n.idempotency_key = old.idempotency_key`

	// Routed notifications keep their sequence. The alert is locked before its
	// notifications, as in Purge.
	routeNotifications = `
WITH RECURSIVE route AS MATERIALIZED (
	SELECT name, severity, organizations, rules, reasons, expire_after FROM jsonb_to_recordset($1::jsonb)
		AS r (name text, severity smallint, organizations text[], rules text[], reasons text[], expire_after float8)
), ` + unrouted + `, share AS MATERIALIZED (
	SELECT organization_id, ($2 - 1) / count(*) OVER () + 1 AS size FROM unrouted
), due AS MATERIALIZED (
	SELECT n.organization_id, n.alert_id, n.idempotency_key, n.severity, n.rule, share.size
	FROM share CROSS JOIN LATERAL (
		SELECT o.organization_id, o.alert_id, o.idempotency_key, a.severity, a.rule
		FROM auditwarden_alert_outbox AS o
		JOIN auditwarden_alerts AS a ON a.organization_id = o.organization_id AND a.id = o.alert_id
		WHERE o.organization_id = share.organization_id AND o.route = '' AND NOT o.dead
		ORDER BY o.due_at, o.sequence
		LIMIT share.size
		FOR KEY SHARE OF a SKIP LOCKED FOR UPDATE OF o SKIP LOCKED
	) AS n
), n AS (
	DELETE FROM auditwarden_alert_outbox AS n USING due
	WHERE n.organization_id = due.organization_id AND n.alert_id = due.alert_id
		AND n.route = '' AND n.idempotency_key = due.idempotency_key
	RETURNING n.*, due.severity, due.rule
), taken AS (
	SELECT n.*, r.name, n.created_at <= now() - make_interval(secs => r.expire_after) AS too_old
	FROM n CROSS JOIN route AS r
	WHERE n.severity >= r.severity
		AND (r.organizations = '{}' OR n.organization_id = ANY (r.organizations))
		AND (r.rules = '{}' OR n.rule = ANY (r.rules))
		AND CASE WHEN n.targets = '{}' THEN n.reason = ANY (r.reasons) ELSE r.name = ANY (n.targets) END
), routed AS (
	INSERT INTO auditwarden_alert_outbox
		(organization_id, alert_id, route, idempotency_key, sequence, reason, targets, created_at, due_at)
	OVERRIDING SYSTEM VALUE
	SELECT organization_id, alert_id, name, idempotency_key, sequence, reason, targets, created_at, now()
	FROM taken WHERE NOT too_old
	ON CONFLICT DO NOTHING
)
SELECT EXISTS (SELECT 1 FROM due GROUP BY organization_id, size HAVING count(*) = size),
	(SELECT count(*) FROM taken WHERE too_old),
	(SELECT count(*) FROM n CROSS JOIN unnest(n.targets) AS target WHERE NOT EXISTS (
		SELECT 1 FROM taken
		WHERE taken.organization_id = n.organization_id AND taken.alert_id = n.alert_id
			AND taken.idempotency_key = n.idempotency_key AND taken.name = target
	))`
)
