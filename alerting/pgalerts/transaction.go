package pgalerts

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
)

// read sends the statements that queue adds, in one round trip and one
// transaction of that organization. They and what reads their results may be
// called again.
func (s *Store) read(ctx context.Context, organization string, queue func(*pgx.Batch)) error {
	return s.retry(ctx, func() error {
		b := &pgx.Batch{}
		scope(b, organization)
		queue(b)
		return s.pool.SendBatch(ctx, b).Close()
	})
}

// write calls f in a transaction, perhaps again after a commit whose outcome is
// not known.
func (s *Store) write(ctx context.Context, f func(pgx.Tx) error) error {
	return s.retry(ctx, func() error {
		return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, f)
	})
}

// scope tells the server whose rows the statements that follow are about, for
// row-level security. It lasts until the next scope or the transaction's end.
//
// It also has them planned each time they are executed, as walks along an index.
// Otherwise a plan that was made when the tables were all but empty would be kept
// until the server happens to analyze them.
func scope(b *pgx.Batch, organization string) {
	all := "off"
	if organization == alerting.AllOrganizations {
		organization, all = "", "on"
	}
	b.Queue(setScope, organization, all)
}

const (
	setScope = `
SELECT set_config('app.organization', $1, true), set_config('app.all_organizations', $2, true),
	set_config('plan_cache_mode', 'force_custom_plan', true),
	set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('enable_sort', 'off', true),
	set_config('jit', 'off', true)`

	// Foreign keys are checked faster with plans that are kept.
	keepPlans = `SELECT set_config('plan_cache_mode', 'auto', true)`
)

// readClock writes the server's time to now. It is not that of the transaction's
// start, but later than all that the transaction waited for.
func readClock(b *pgx.Batch, now *time.Time) {
	b.Queue(`SELECT clock_timestamp()`).QueryRow(func(row pgx.Row) error {
		err := row.Scan(now)
		*now = now.UTC()
		return err
	})
}

// column returns one value of each row, for unnest.
func column[R, V any](rows []R, value func(R) V) []V {
	values := make([]V, len(rows))
	for i, r := range rows {
		values[i] = value(r)
	}
	return values
}
