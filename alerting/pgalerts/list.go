package pgalerts

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// List implements [alerting.Store]. The page is read as a whole when the
// iteration begins.
//
// Pages of all alerts of an organization, of its open ones and of all
// organizations are found by an index, wherever they are. Other conditions are
// checked row by row in that order, so that a page of what is rare takes longer.
func (s *Store) List(ctx context.Context, q alerting.Query) iter.Seq2[*monitor.Alert, error] {
	return func(yield func(*monitor.Alert, error) bool) {
		page, err := s.page(ctx, q)
		if err != nil {
			yield(nil, fmt.Errorf("pgalerts: list alerts: %w", err))
			return
		}
		for _, a := range page {
			if !yield(a, nil) {
				return
			}
		}
	}
}

func (s *Store) page(ctx context.Context, q alerting.Query) (page []*monitor.Alert, err error) {
	f, err := filterOf(&q)
	if err == nil {
		err = f.page(&q)
	}
	if err != nil {
		return nil, err
	}
	limit := f.expression(` ORDER BY created_at DESC, id DESC LIMIT #`, q.PageSize())
	sql := `SELECT ` + alertColumns + ` FROM auditwarden_alerts` + f.where() + limit
	err = s.read(ctx, q.Organization, func(b *pgx.Batch) {
		b.Queue(sql, f.args...).Query(func(rows pgx.Rows) (err error) {
			page, err = pgx.CollectRows(rows, scanAlert)
			return err
		})
	})
	return page, err
}

// Count implements [alerting.Store].
func (s *Store) Count(ctx context.Context, q alerting.Query) (int, error) {
	var n int
	f, err := filterOf(&q)
	if err == nil {
		f.until(q.Until)
		err = s.read(ctx, q.Organization, func(b *pgx.Batch) {
			b.Queue(`SELECT count(*) FROM auditwarden_alerts`+f.where(), f.args...).QueryRow(func(row pgx.Row) error {
				return row.Scan(&n)
			})
		})
	}
	if err != nil {
		return 0, fmt.Errorf("pgalerts: count alerts: %w", err)
	}
	return n, nil
}
