package pgalerts_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// Ten instances that start at once migrate once.
func testMigrateAtOnce(t *testing.T, server string) {
	for name, url := range map[string]string{
		"directly":         testservice.PostgresSchema(t, server),
		"through a pooler": inMode(t, testservice.PgBouncer(t, server).URL(testservice.PostgresDatabase(t, server)), "exec"),
	} {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			for range 10 {
				pool := testservice.PostgresPool(t, testservice.WithParameter(t, url, "pool_max_conns", "1"))
				all.Go(func() { assert.NoError(t, pgalerts.Migrate(t.Context(), pool)) })
			}
			all.Wait()
			checkMigrated(t, testservice.PostgresPool(t, url))
		})
	}
}

// Through a pooler, the migration goes on when another client gets the connection on
// which it has locked the schema.
func testMigrateThroughPooler(t *testing.T, server string) {
	url := inMode(t, testservice.PgBouncer(t, server).URL(testservice.PostgresDatabase(t, server)), "exec")
	other := testservice.PostgresPool(t, url)
	config, err := pgxpool.ParseConfig(url)
	require.NoError(t, err)
	var once sync.Once
	config.ConnConfig.Tracer = afterQuery(func(sql string) {
		if !strings.Contains(sql, "advisory") {
			return
		}
		once.Do(func() {
			tx, err := other.Begin(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, tx.Rollback(context.Background())) })
		})
	})
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	require.NoError(t, pgalerts.Migrate(t.Context(), pool))
	checkMigrated(t, pool)
}

// checkMigrated checks that each migration was made once, and nothing is locked.
func checkMigrated(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	versions := scan[[]int64](t, pool, `SELECT array_agg(version_id ORDER BY id) FROM auditwarden_alert_migrations`)
	for i, version := range versions {
		assert.EqualValues(t, i, version)
	}
	// Other tests may be in transactions that hold some.
	assert.Zero(t, scan[int](t, pool, `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
		WHERE locktype = 'advisory' AND datname = current_database() AND state = 'idle'`), "locks that nobody releases")
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
}

// afterQuery is a tracer that calls a function after each statement.
type afterQuery func(sql string)

type queryText struct{}

func (afterQuery) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, queryText{}, q.SQL)
}

func (f afterQuery) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	sql, _ := ctx.Value(queryText{}).(string)
	f(sql)
}

// What a migration made it takes away again.
func testMigrateDown(t *testing.T, server string) {
	pool := migrated(t, server)
	objects := `SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace
		AND relname LIKE 'auditwarden%' AND relname NOT LIKE 'auditwarden_alert_migrations%'`
	assert.GreaterOrEqual(t, scan[int](t, pool, objects), 10)
	for range 2 { // again from the start
		require.NoError(t, pgalerts.MigrateDown(t.Context(), pool, 0))
		assert.Zero(t, scan[int](t, pool, objects))
		require.NoError(t, pgalerts.Migrate(t.Context(), pool))
	}
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
}

// What is stored outlives the way back and forth between versions.
func testMigrateStepByStep(t *testing.T, server string) {
	pool := migrated(t, server)
	o := occurrence("mallory", "e1", 0)
	o.TraceID = monitor.TraceID{1}
	put(t, newStore(t, pool, nil), o)
	require.NoError(t, pgalerts.MigrateDown(t.Context(), pool, 1))
	_, err := newStore(t, pool, nil).Settings(t.Context(), "acme")
	require.Error(t, err)
	require.NoError(t, pgalerts.Migrate(t.Context(), pool))
	s := newStore(t, pool, nil)
	as := all(t, s, alerting.Query{})
	require.Len(t, as, 1)
	assert.Zero(t, as[0].TraceID)
	put(t, s, occurrence("mallory", "e2", 1))
}

func testSchemaVersion(t *testing.T, server string) {
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, pool *pgxpool.Pool)
		want    string // in the error; empty for none
	}{
		"no schema": {func(t *testing.T, pool *pgxpool.Pool) {
			t.Helper()
			require.NoError(t, pgalerts.MigrateDown(t.Context(), pool, 0))
			run(t, pool, `DROP TABLE auditwarden_alert_migrations`)
		}, "there is no schema, call Migrate"},
		"an old schema": {func(t *testing.T, pool *pgxpool.Pool) {
			t.Helper()
			require.NoError(t, pgalerts.MigrateDown(t.Context(), pool, 0))
		}, "version 0 and must have 5, call Migrate"},
		"a newer schema": {func(t *testing.T, pool *pgxpool.Pool) {
			t.Helper()
			run(t, pool, `INSERT INTO auditwarden_alert_migrations (version_id, is_applied) VALUES (1000, true)`)
		}, ""},
		"a missing table": {func(t *testing.T, pool *pgxpool.Pool) {
			t.Helper()
			run(t, pool, `DROP TABLE auditwarden_alert_settings`)
		}, `"auditwarden_alert_settings" does not exist`},
	} {
		t.Run(name, func(t *testing.T) {
			pool := migrated(t, server)
			tt.prepare(t, pool)
			s := newStore(t, pool, nil)
			_, err := s.Settings(t.Context(), "acme")
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			// Once it is there everything works.
			if tt.want[0] != '"' {
				require.NoError(t, pgalerts.Migrate(t.Context(), pool))
				put(t, s, occurrence("mallory", "e1", 0))
			}
		})
	}
}

func TestNoPool(t *testing.T) {
	t.Parallel()
	_, err := pgalerts.New(nil, nil)
	for what, err := range map[string]error{
		"New":            err,
		"Migrate":        pgalerts.Migrate(t.Context(), nil),
		"MigrateDown":    pgalerts.MigrateDown(t.Context(), nil, 0),
		"SetRowSecurity": pgalerts.SetRowSecurity(t.Context(), nil, true),
	} {
		require.ErrorContains(t, err, "pool: missing", what)
	}
}

func testBadOptions(t *testing.T, server string) {
	_, err := pgalerts.New(testservice.PostgresPool(t, server), &pgalerts.Options{MaxAttempts: -1})
	require.ErrorContains(t, err, "Options.MaxAttempts")
}

// A role that may not create tables is told so.
func testMigrateWithoutPermission(t *testing.T, server string) {
	schema := testservice.PostgresSchema(t, server)
	role, as := newRole(t, server, "")
	run(t, testservice.PostgresPool(t, schema), `GRANT USAGE ON SCHEMA `+schemaName(t, schema)+` TO `+role)
	err := pgalerts.Migrate(t.Context(), testservice.PostgresPool(t, as(schema)))
	requireCode(t, "42501", err) // insufficient_privilege
}
