package pgalerts

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// purgeChunk is the largest number of alerts that one transaction of Purge deletes.
const purgeChunk = 1000

// Purge implements [driver.Store]. It deletes alerts with their history, occurrences
// and outbox in transactions of 1,000 alerts each. After an error, alerts of earlier
// transactions stay deleted. Purge skips alerts that are being changed. If a
// connection breaks, the number may be too low.
func (s *Store) Purge(ctx context.Context, organization string, before time.Time) (int, error) {
	if err := checkOrganization(organization); err != nil {
		return 0, err
	}
	purged := 0
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
