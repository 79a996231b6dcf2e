package pgalerts

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/auditwarden/auditwarden/alerting"
)

// purgeChunk is the largest number of alerts that one transaction of Purge deletes.
const purgeChunk = 1000

// Purge implements [driver.Store]. It deletes alerts with their history, occurrences
// and outbox in transactions of 1,000 alerts each. After an error, alerts of earlier
// transactions stay deleted. Purge skips alerts that are being changed. If a
// connection breaks, the number may be too low. It goes from one organization to the
// next, so that each statement reads an index.
func (s *Store) Purge(ctx context.Context, organization string, before time.Time) (purged int, err error) {
	if err := checkOrganization(organization); err != nil {
		return 0, err
	}
	if organization != alerting.AllOrganizations {
		return s.purge(ctx, organization, before)
	}
	for last, more := "", true; more; {
		var names []string
		err := s.read(ctx, alerting.AllOrganizations, func(b *pgx.Batch) {
			b.Queue(readOrganizations, last, purgeChunk).Query(func(rows pgx.Rows) (err error) {
				names, err = pgx.CollectRows(rows, pgx.RowTo[string])
				return err
			})
		})
		if err != nil {
			return purged, err
		}
		for _, name := range names {
			n, err := s.purge(ctx, name, before)
			if purged += n; err != nil {
				return purged, err
			}
		}
		if more = len(names) == purgeChunk; more {
			last = names[len(names)-1]
		}
	}
	return purged, nil
}

// readOrganizations goes from one organization with closed alerts to the next in the
// index of closed alerts.
const readOrganizations = `
WITH RECURSIVE organizations (name, number) AS (
	(
		SELECT organization_id, 1 FROM auditwarden_alerts
		WHERE organization_id > $1 AND status IN ('resolved', 'dismissed')
		ORDER BY organization_id
		LIMIT 1
	)
	UNION ALL
	SELECT next.name, o.number + 1
	FROM organizations AS o
	CROSS JOIN LATERAL (
		SELECT organization_id AS name FROM auditwarden_alerts
		WHERE organization_id > o.name AND status IN ('resolved', 'dismissed')
		ORDER BY organization_id
		LIMIT 1
	) AS next
	WHERE o.number < $2
)
SELECT name FROM organizations ORDER BY name`

// purge deletes the alerts of one organization.
func (s *Store) purge(ctx context.Context, organization string, before time.Time) (purged int, err error) {
	for {
		var chunk int
		err := s.read(ctx, organization, func(b *pgx.Batch) {
			b.Queue(deleteClosed, organization, moment(before), purgeChunk).Exec(func(deleted pgconn.CommandTag) error {
				chunk = int(deleted.RowsAffected())
				return nil
			})
		})
		if err != nil {
			return purged, err
		}
		purged += chunk
		if chunk < purgeChunk {
			return purged, nil
		}
	}
}

const deleteClosed = `
WITH old AS (
	SELECT id FROM auditwarden_alerts
	WHERE organization_id = $1 AND status IN ('resolved', 'dismissed') AND resolved_at < $2
	ORDER BY resolved_at
	LIMIT $3
	FOR UPDATE SKIP LOCKED
)
DELETE FROM auditwarden_alerts AS a USING old WHERE a.organization_id = $1 AND a.id = old.id`
