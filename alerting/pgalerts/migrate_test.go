package pgalerts_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/monitor"
)

// Ten instances that start at once migrate once.
func testMigrateAtOnce(t *testing.T, server string) {
	schema := schema(t, server)
	var all sync.WaitGroup
	for range 10 {
		pool := newPool(t, with(t, schema, "pool_max_conns", "1"))
		all.Go(func() {
			if err := pgalerts.Migrate(t.Context(), pool); err != nil {
				t.Errorf("Migrate: %v", err)
			}
		})
	}
	all.Wait()
	pool := newPool(t, schema)
	if n := scan[int](t, pool, `SELECT count(*) FROM auditwarden_alert_migrations WHERE version_id = 1`); n != 1 {
		t.Errorf("version 1 was reached %d times", n)
	}
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
}

// What a migration made it takes away again.
func testMigrateDown(t *testing.T, server string) {
	pool := migrated(t, server)
	objects := `SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace
		AND relname LIKE 'auditwarden%' AND relname NOT LIKE 'auditwarden_alert_migrations%'`
	if n := scan[int](t, pool, objects); n < 10 {
		t.Errorf("%d tables and indexes are there", n)
	}
	for range 2 { // again from the start
		if err := pgalerts.MigrateDown(t.Context(), pool, 0); err != nil {
			t.Fatalf("MigrateDown: %v", err)
		}
		if n := scan[int](t, pool, objects); n != 0 {
			t.Errorf("%d tables and indexes are left", n)
		}
		if err := pgalerts.Migrate(t.Context(), pool); err != nil {
			t.Fatalf("Migrate: %v", err)
		}
	}
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
}

// What is stored outlives the way back and forth between versions.
func testMigrateStepByStep(t *testing.T, server string) {
	pool := migrated(t, server)
	o := occurrence("mallory", "e1", 0)
	o.TraceID = monitor.TraceID{1}
	put(t, newStore(t, pool, nil), o)
	if err := pgalerts.MigrateDown(t.Context(), pool, 1); err != nil {
		t.Fatalf("MigrateDown: %v", err)
	}
	if _, err := newStore(t, pool, nil).Settings(t.Context(), "acme"); err == nil {
		t.Error("a store works with a schema that is too old")
	}
	if err := pgalerts.Migrate(t.Context(), pool); err != nil {
		t.Fatalf("Migrate: %v", err)
	}
	s := newStore(t, pool, nil)
	if as := all(t, s, alerting.Query{}); len(as) != 1 || as[0].TraceID != (monitor.TraceID{}) {
		t.Errorf("stored are %v, want one alert whose trace is forgotten", as)
	}
	put(t, s, occurrence("mallory", "e2", 1))
}

func testSchemaVersion(t *testing.T, server string) {
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, pool *pgxpool.Pool)
		want    string // in the error; empty for none
	}{
		"no schema": {func(t *testing.T, pool *pgxpool.Pool) {
			t.Helper()
			if err := pgalerts.MigrateDown(t.Context(), pool, 0); err != nil {
				t.Fatal(err)
			}
			run(t, pool, `DROP TABLE auditwarden_alert_migrations`)
		}, "there is no schema, call Migrate"},
		"an old schema": {func(t *testing.T, pool *pgxpool.Pool) {
			t.Helper()
			if err := pgalerts.MigrateDown(t.Context(), pool, 0); err != nil {
				t.Fatal(err)
			}
		}, "version 0 and must have 2, call Migrate"},
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
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("Settings: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("Settings: %v, want an error with %q", err, tt.want)
			}
			// Once it is there everything works.
			if tt.want != "" && tt.want[0] != '"' {
				if err := pgalerts.Migrate(t.Context(), pool); err != nil {
					t.Fatal(err)
				}
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
		if err == nil || !strings.Contains(err.Error(), "pool: missing") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func testBadOptions(t *testing.T, server string) {
	_, err := pgalerts.New(newPool(t, server), &pgalerts.Options{MaxAttempts: -1})
	if err == nil || !strings.Contains(err.Error(), "Options.MaxAttempts") {
		t.Errorf("New: %v", err)
	}
}

// A role that may not create tables is told so.
func testMigrateWithoutPermission(t *testing.T, server string) {
	schema := schema(t, server)
	role, as := newRole(t, server, "")
	run(t, newPool(t, schema), `GRANT USAGE ON SCHEMA `+schemaName(t, schema)+` TO `+role)
	err := pgalerts.Migrate(t.Context(), newPool(t, as(schema)))
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "42501" {
		t.Errorf("Migrate: %v, want insufficient_privilege", err)
	}
}
