package pgalerts

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Get implements [alerting.Store].
func (s *Store) Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
	var a *monitor.Alert
	err := checkRef(ref)
	if err == nil {
		err = s.read(ctx, ref.Organization, func(b *pgx.Batch) {
			b.Queue(readAlert, ref.Organization, ref.ID).Query(func(rows pgx.Rows) (err error) {
				a, err = pgx.CollectExactlyOneRow(rows, scanAlert)
				return err
			})
		})
	}
	if errors.Is(err, pgx.ErrNoRows) {
		err = notFound(ref)
	}
	if err != nil {
		return nil, fmt.Errorf("pgalerts: get alert: %w", err)
	}
	return a, nil
}

const readAlert = `SELECT ` + alertColumns + ` FROM auditwarden_alerts WHERE organization_id = $1 AND id = $2`

// History implements [alerting.Store].
func (s *Store) History(ctx context.Context, ref monitor.AlertRef) ([]alerting.Change, error) {
	var history []alerting.Change
	err := checkRef(ref)
	if err == nil {
		err = s.read(ctx, ref.Organization, func(b *pgx.Batch) { queryHistory(b, ref, 0, &history) })
	}
	if err == nil && len(history) == 0 {
		err = notFound(ref) // every alert was opened
	}
	if err != nil {
		return nil, fmt.Errorf("pgalerts: read history: %w", err)
	}
	return history, nil
}

// queryHistory asks for the changes of an alert from that version on.
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
