package pgalerts

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
)

// read sends the statements that queue adds in one round trip and one transaction for
// the organization. It may call queue and their callbacks several times.
func (s *Store) read(ctx context.Context, organization string, queue func(*pgx.Batch)) error {
	return s.retry(ctx, func() error {
		b := &pgx.Batch{}
		scope(b, organization)
		queue(b)
		return s.pool.SendBatch(ctx, b).Close()
	})
}

// write calls f in a transaction, and again if a commit gets no response.
func (s *Store) write(ctx context.Context, f func(pgx.Tx) error) error {
	return s.retry(ctx, func() error {
		return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, f)
	})
}

// scope sets the organization of the statements that follow, for row-level security,
// until the next scope or the end of the transaction.
//
// It also has the server plan them at each execution and prefer index scans.
// Otherwise a plan that was made when the tables were almost empty would be used
// until the server analyzes them.
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

	// Checks of foreign keys are faster with cached plans.
	keepPlans = `SELECT set_config('plan_cache_mode', 'auto', true)`
)

// readClock queues a query for the server's current time. Unlike that of the
// transaction's start, it is later than the locks that the transaction waited for.
func readClock(b *pgx.Batch, now *time.Time) {
	b.Queue(`SELECT clock_timestamp()`).QueryRow(func(row pgx.Row) error {
		err := row.Scan(now)
		*now = now.UTC()
		return err
	})
}

// column returns one value of each row, as an argument for unnest.
func column[R, V any](rows []R, value func(R) V) []V {
	values := make([]V, len(rows))
	for i, r := range rows {
		values[i] = value(r)
	}
	return values
}
