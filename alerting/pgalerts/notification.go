package pgalerts

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// writeNotification queues a notification for the outbox. The transaction must have
// locked the alert, so that its notifications are committed in order.
func writeNotification(
	b *pgx.Batch, a *monitor.Alert, key string, reason alerting.Reason, targets []string, now time.Time,
) {
	b.Queue(insertNotification, a.OrganizationID, a.ID, key, reason, now, targets)
}

const insertNotification = `
INSERT INTO auditwarden_alert_outbox (organization_id, alert_id, route, idempotency_key, reason, created_at, due_at, targets)
VALUES ($1, $2, '', $3, $4, $5, $5, coalesce($6::text[], '{}'))`

const (
	// notificationColumns are what collectNotifications reads; n is the outbox.
	notificationColumns = `n.idempotency_key, n.reason, n.created_at, n.route, n.targets, n.attempts, n.failure, a.*`

	// withAlert joins the rows with their alerts.
	withAlert = `
CROSS JOIN LATERAL (
	SELECT ` + alertColumns + ` FROM auditwarden_alerts WHERE organization_id = n.organization_id AND id = n.alert_id
) AS a`
)

// collectNotifications reads notifications, and the columns that follow into more. It
// leaves out those whose alerts cannot be decoded, and returns the reasons in broken.
func collectNotifications(rows pgx.Rows, more ...any) (ns []*alerting.Notification, broken []error, err error) {
	for rows.Next() {
		n := &alerting.Notification{}
		var r alertRow
		err := rows.Scan(slices.Concat([]any{
			&n.Key, &n.Reason, &n.CreatedAt, &n.Route, &n.Targets, &n.Attempts, &n.Failure,
		}, r.targets(), more)...)
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
