package pgalerts

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Get implements [driver.Store].
func (s *Store) Get(ctx context.Context, ref monitor.AlertRef) (a *monitor.Alert, history []alerting.Change, err error) {
	if err := checkRef(ref); err != nil {
		return nil, nil, err
	}
	err = s.read(ctx, ref.Organization, func(b *pgx.Batch) {
		b.Queue(readAlert, ref.Organization, ref.ID).Query(func(rows pgx.Rows) (err error) {
			a, err = pgx.CollectExactlyOneRow(rows, scanAlert)
			return err
		})
		queryHistory(b, ref, 0, &history)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = notFound(ref)
	}
	return a, history, err
}

// Evidence implements [driver.Store].
func (s *Store) Evidence(ctx context.Context, ref monitor.AlertRef) (texts []string, err error) {
	if err := checkRef(ref); err != nil {
		return nil, err
	}
	err = s.read(ctx, ref.Organization, func(b *pgx.Batch) {
		b.Queue(findAlert, ref.Organization, ref.ID).QueryRow(func(row pgx.Row) error { return row.Scan(new(bool)) })
		b.Queue(readEvidence, ref.Organization, ref.ID).Query(func(rows pgx.Rows) (err error) {
			texts, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = notFound(ref)
	}
	return texts, err
}

const (
	findAlert    = `SELECT true FROM auditwarden_alerts WHERE organization_id = $1 AND id = $2`
	readEvidence = `
SELECT evidence FROM auditwarden_alert_occurrences
WHERE organization_id = $1 AND alert_id = $2 AND evidence IS NOT NULL
ORDER BY last_seen, event_key`
)

// List implements [driver.Store].
//
// Pages of all alerts, of one organization's alerts and of its open alerts are read
// from an index. Other conditions are checked row by row, which is slow if few rows
// match.
func (s *Store) List(ctx context.Context, q alerting.Query) (page []*monitor.Alert, err error) {
	f, err := filterOf(&q)
	if err == nil {
		err = f.page(&q)
	}
	if err != nil {
		return nil, err
	}
	limit := f.expression(` ORDER BY created_at DESC, id DESC LIMIT #`, q.Limit)
	sql := `SELECT ` + alertColumns + ` FROM auditwarden_alerts` + f.where() + limit
	err = s.read(ctx, q.Organization, func(b *pgx.Batch) {
		b.Queue(sql, f.args...).Query(func(rows pgx.Rows) (err error) {
			page, err = pgx.CollectRows(rows, scanAlert)
			return err
		})
	})
	return page, err
}

// Count implements [driver.Store].
func (s *Store) Count(ctx context.Context, q alerting.Query) (n int, err error) {
	f, err := filterOf(&q)
	if err != nil {
		return 0, err
	}
	f.until(q.Until)
	err = s.read(ctx, q.Organization, func(b *pgx.Batch) {
		b.Queue(`SELECT count(*) FROM auditwarden_alerts`+f.where(), f.args...).QueryRow(func(row pgx.Row) error {
			return row.Scan(&n)
		})
	})
	return n, err
}
