package pgalerts

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// purgeChunk is how many alerts a transaction of Purge deletes.
const purgeChunk = 1000

// Purge implements [driver.Store]. It deletes in chunks of 1,000 alerts, each a
// transaction of its own, the occurrences and the outbox of the alerts included.
// An error ends it; what was deleted until then is gone. An alert that is being
// changed stays for the next time. If a connection breaks the number may lack a
// chunk.
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
