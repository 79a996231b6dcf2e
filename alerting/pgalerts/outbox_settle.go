package pgalerts

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
)

// SettleNotifications implements [driver.Outbox]. It settles all notifications or,
// with an error, none; the call can be repeated. It ignores notifications that do not
// exist.
func (s *Store) SettleNotifications(ctx context.Context, ds []alerting.Delivery) error {
	known := slices.DeleteFunc(slices.Clone(ds), func(d alerting.Delivery) bool {
		return !isID(d.Notification.Alert.ID) || checkOrganization(d.Notification.Alert.OrganizationID) != nil
	})
	if len(known) == 0 {
		return nil
	}
	slices.SortFunc(known, bySequenceOfLocks)
	return s.write(ctx, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		scope(b, alerting.AllOrganizations)
		b.Queue(holdAlerts, column(known, organizationOf), column(known, alertOf))
		for i := range known {
			settle(b, &known[i])
		}
		return tx.SendBatch(ctx, b).Close()
	})
}

// bySequenceOfLocks is the order in which calls lock rows, to avoid deadlocks.
func bySequenceOfLocks(a, b alerting.Delivery) int {
	return cmp.Or(
		strings.Compare(organizationOf(a), organizationOf(b)),
		strings.Compare(alertOf(a), alertOf(b)),
		strings.Compare(a.Notification.Route, b.Notification.Route),
		strings.Compare(a.Notification.Key, b.Notification.Key))
}

func organizationOf(d alerting.Delivery) string { return d.Notification.Alert.OrganizationID }
func alertOf(d alerting.Delivery) string        { return d.Notification.Alert.ID }

// settle queues a statement that records the outcome of a delivery.
func settle(b *pgx.Batch, d *alerting.Delivery) {
	n := d.Notification
	row := []any{organizationOf(*d), alertOf(*d), n.Route, n.Key}
	switch d.Outcome {
	case alerting.OutcomeDelivered:
		b.Queue(deleteNotification, row...)
	case alerting.OutcomeRetry:
		b.Queue(postponeNotification, append(row, n.Attempts, n.CreatedAt, clean(n.Failure), d.RetryAfter)...)
	case alerting.OutcomeDead:
		b.Queue(buryNotification, append(row, n.Attempts, n.CreatedAt, clean(n.Failure))...)
	}
}

const (
	// holdAlerts locks the alerts of the notifications, as Purge does, before the
	// notifications themselves, so that the two cannot deadlock.
	holdAlerts = `
SELECT 1
FROM unnest($1::text[], $2::uuid[]) AS u (organization_id, id)
CROSS JOIN LATERAL (
	SELECT 1 FROM auditwarden_alerts WHERE organization_id = u.organization_id AND id = u.id FOR KEY SHARE
) AS a`

	theNotification = ` WHERE organization_id = $1 AND alert_id = $2 AND route = $3 AND idempotency_key = $4`
	// Each claim has another number of attempts until a redrive changes created_at.
	stillClaimed = theNotification + ` AND attempts = $5 AND created_at = $6`

	deleteNotification = `DELETE FROM auditwarden_alert_outbox` + theNotification

	postponeNotification = `
UPDATE auditwarden_alert_outbox SET failure = $7, due_at = clock_timestamp() + $8::interval` + stillClaimed

	buryNotification = `UPDATE auditwarden_alert_outbox SET failure = $7, dead = true` + stillClaimed
)
