package pgalerts_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting/pgalerts"
)

// A tracer watches what the connections of a pool do.
type tracer struct {
	// after is called after each round trip of several statements, with their
	// SQL.
	after func(statements []string)

	mu         sync.Mutex
	statements []statement
	batch      []string // of the connection that sends one
	failures   []string // SQLSTATEs
}

type statement struct {
	sql  string
	args []any
}

// traced returns a pool of one connection, or more, on that schema.
func traced(t testing.TB, schema string, connections int32, tr *tracer) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(schema)
	require.NoError(t, err)
	config.MaxConns = connections
	config.ConnConfig.Tracer = tr
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func (tr *tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.batch = nil
	return ctx
}

func (tr *tracer) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.statements = append(tr.statements, statement{q.SQL, q.Args})
	tr.batch = append(tr.batch, q.SQL)
	tr.fail(q.Err)
}

func (tr *tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {
	tr.mu.Lock()
	batch, after := tr.batch, tr.after
	tr.mu.Unlock()
	if after != nil {
		after(batch)
	}
}

func (tr *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (tr *tracer) TraceQueryEnd(_ context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.fail(q.Err)
}

// fail remembers the SQLSTATE of an error. The caller holds the mutex.
func (tr *tracer) fail(err error) {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		tr.failures = append(tr.failures, pg.Code)
	}
}

// failed returns the SQLSTATEs of the errors so far.
func (tr *tracer) failed() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.failures)
}

// sent returns the statements so far, and forgets them.
func (tr *tracer) sent() []statement {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	sent := tr.statements
	tr.statements = nil
	return sent
}

// tracedStore returns a store with a tracer on a new schema, and an ordinary pool
// on the same.
func tracedStore(t testing.TB, server string, tr *tracer) (*pgalerts.Store, *pgxpool.Pool) {
	t.Helper()
	pool := migrated(t, server)
	return newStore(t, traced(t, pool.Config().ConnString(), 1, tr), nil), pool
}
