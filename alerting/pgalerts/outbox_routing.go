package pgalerts

import (
	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
)

// routingChunk is the largest number of notifications that one statement routes.
const routingChunk = 1000

// A routing has the numbers of notifications that were routed and dropped.
type routing struct{ routed, tooOld, noSuchRoute int64 }

// A condition has the conditions of a route. An empty list is no condition.
type condition struct {
	Name          string            `json:"name"`
	Severity      int               `json:"severity"`
	Organizations []string          `json:"organizations"`
	Rules         []string          `json:"rules"`
	Reasons       []alerting.Reason `json:"reasons"`
	ExpireAfter   float64           `json:"expire_after"` // seconds
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
		return row.Scan(&r.routed, &r.tooOld, &r.noSuchRoute)
	})
}

const (
	lockRouting = `
SELECT pg_advisory_xact_lock('auditwarden_alert_outbox'::regclass::int, 0)
WHERE EXISTS (SELECT 1 FROM auditwarden_alert_outbox WHERE route = '' AND NOT dead)`

	// Routed notifications keep their sequence. The alert is locked before its
	// notifications, as in Purge.
	routeNotifications = `
WITH route AS MATERIALIZED (
	SELECT * FROM jsonb_to_recordset($1::jsonb)
		AS r (name text, severity smallint, organizations text[], rules text[], reasons text[], expire_after float8)
), due AS MATERIALIZED (
	SELECT n.organization_id, n.alert_id, n.idempotency_key, a.severity, a.rule
	FROM auditwarden_alert_outbox AS n
	JOIN auditwarden_alerts AS a ON a.organization_id = n.organization_id AND a.id = n.alert_id
	WHERE n.route = '' AND NOT n.dead
	ORDER BY n.due_at, n.sequence
	LIMIT $2
	FOR KEY SHARE OF a SKIP LOCKED FOR UPDATE OF n SKIP LOCKED
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
SELECT (SELECT count(*) FROM n),
	(SELECT count(*) FROM taken WHERE too_old),
	(SELECT count(*) FROM n CROSS JOIN unnest(n.targets) AS target WHERE NOT EXISTS (
		SELECT 1 FROM taken
		WHERE taken.organization_id = n.organization_id AND taken.alert_id = n.alert_id
			AND taken.idempotency_key = n.idempotency_key AND taken.name = target
	))`
)
