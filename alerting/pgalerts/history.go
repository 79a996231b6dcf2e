package pgalerts

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// queryHistory queues a query for the changes of an alert from the given version on.
func queryHistory(b *pgx.Batch, ref monitor.AlertRef, version int64, history *[]alerting.Change) {
	b.Queue(readHistory, ref.Organization, ref.ID, version).Query(func(rows pgx.Rows) (err error) {
		*history, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c alerting.Change, err error) {
			err = row.Scan((*zeronull.Text)(&c.From), &c.To, &c.By, &c.Note, &c.At, &c.Version)
			c.At = c.At.UTC()
			return c, err
		})
		return err
	})
}

const readHistory = `
SELECT status_from, status_to, changed_by, note, changed_at, version
FROM auditwarden_alert_history
WHERE organization_id = $1 AND alert_id = $2 AND version >= $3
ORDER BY version`
