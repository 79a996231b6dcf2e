package pgalerts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
)

// SettleNotifications implements [alerting.Outbox]. It settles all or, with an
// error, none; the call may be repeated. What cannot be in the outbox is ignored,
// as is what is no longer there.
func (s *Store) SettleNotifications(ctx context.Context, settlements []alerting.Settlement) error {
	known := slices.DeleteFunc(slices.Clone(settlements), func(st alerting.Settlement) bool {
		n := st.Notification
		return n == nil || n.Alert == nil || !isID(n.Alert.ID) || checkOrganization(n.Alert.OrganizationID) != nil
	})
	if len(known) == 0 {
		return nil
	}
	slices.SortFunc(known, bySequenceOfLocks)
	err := s.write(ctx, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		scope(b, alerting.AllOrganizations)
		b.Queue(holdAlerts, column(known, organizationOf), column(known, alertOf))
		for i := range known {
			settle(b, &known[i])
		}
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return fmt.Errorf("pgalerts: settle notifications: %w", err)
	}
	return nil
}

// bySequenceOfLocks is the order in which all who settle lock rows, so that they
// cannot wait for each other in a circle.
func bySequenceOfLocks(a, b alerting.Settlement) int {
	return cmp.Or(
		strings.Compare(organizationOf(a), organizationOf(b)),
		strings.Compare(alertOf(a), alertOf(b)),
		strings.Compare(a.Notification.Route, b.Notification.Route),
		strings.Compare(a.Notification.Key, b.Notification.Key))
}

func organizationOf(st alerting.Settlement) string { return st.Notification.Alert.OrganizationID }
func alertOf(st alerting.Settlement) string        { return st.Notification.Alert.ID }

// settle writes what became of a notification.
func settle(b *pgx.Batch, st *alerting.Settlement) {
	n := st.Notification
	row := []any{organizationOf(*st), alertOf(*st), n.Route, n.Key}
	switch st.Outcome {
	case alerting.OutcomeDelivered:
		b.Queue(deleteNotification, row...)
	case alerting.OutcomeRouted:
		b.Queue(routeNotification, append(row, n.Attempts, st.Routes)...)
	case alerting.OutcomeRetry:
		b.Queue(postponeNotification, append(row, n.Attempts, clean(st.Failure), st.RetryAfter)...)
	case alerting.OutcomeDead:
		b.Queue(buryNotification, append(row, n.Attempts, clean(st.Failure))...)
	}
}

const (
	// holdAlerts keeps Purge from alerts whose notifications are settled, and
	// waits for it before anything is locked that it may need.
	holdAlerts = `
SELECT 1
FROM unnest($1::text[], $2::uuid[]) AS u (organization_id, id)
CROSS JOIN LATERAL (
	SELECT 1 FROM auditwarden_alerts WHERE organization_id = u.organization_id AND id = u.id FOR KEY SHARE
) AS a`

	theNotification = ` WHERE organization_id = $1 AND alert_id = $2 AND route = $3 AND idempotency_key = $4`
	stillClaimed    = theNotification + ` AND attempts = $5`

	deleteNotification = `DELETE FROM auditwarden_alert_outbox` + theNotification

	routeNotification = `
WITH n AS (DELETE FROM auditwarden_alert_outbox` + stillClaimed + ` RETURNING *)
INSERT INTO auditwarden_alert_outbox (organization_id, alert_id, route, idempotency_key, reason, targets, created_at, due_at)
SELECT organization_id, alert_id, u.route, idempotency_key, reason, targets, created_at, now()
FROM n CROSS JOIN unnest($6::text[]) AS u (route)
ON CONFLICT DO NOTHING`

	postponeNotification = `
UPDATE auditwarden_alert_outbox SET failure = $6, due_at = clock_timestamp() + $7::interval` + stillClaimed

	buryNotification = `UPDATE auditwarden_alert_outbox SET failure = $6, dead = true` + stillClaimed
)
