package pgalerts

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the version of the newest migration.
const schemaVersion = 2

// Migrate brings the schema up to date. A store never does so itself: the application
// decides when, and with which role. Concurrent calls wait for each other.
//
// Tables are created in the first schema of the connection's search_path. The
// previous release of this package works with the migrated schema, so that instances
// can be replaced one by one.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	err := migrate(pool, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("pgalerts: migrate: %w", err)
	}
	return nil
}

// MigrateDown reverts the migrations after the given version. Version 0 removes
// everything, including all alerts.
func MigrateDown(ctx context.Context, pool *pgxpool.Pool, version int64) error {
	err := migrate(pool, func(p *goose.Provider) error {
		_, err := p.DownTo(ctx, version)
		return err
	})
	if err != nil {
		return fmt.Errorf("pgalerts: migrate down: %w", err)
	}
	return nil
}

func migrate(pool *pgxpool.Pool, f func(*goose.Provider) error) error {
	if pool == nil {
		return errNoPool
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close() //nolint:errcheck // it closes no connection of the pool
	p, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName("auditwarden_alert_migrations"),
		goose.WithSessionLocker(schemaLock{}),
		goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	return f(p)
}

// A schemaLock locks the migrations of a schema. Unlike goose's lock, it does not
// poll.
type schemaLock struct{}

const lockKey = `hashtextextended('auditwarden_alert_migrations in ' || current_schema(), 0)`

func (schemaLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(`+lockKey+`)`)
	return err
}

func (schemaLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock(`+lockKey+`)`)
	return err
}

// checkSchema returns an error if the schema is missing or too old. It asks the
// server until the schema is good, and then never again.
func (s *Store) checkSchema(ctx context.Context) error {
	if s.migrated.Load() {
		return nil
	}
	var version int64
	err := s.pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM auditwarden_alert_migrations`).Scan(&version)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42P01" {
		return fmt.Errorf("there is no schema, call Migrate: %w", err)
	}
	if err != nil {
		return err
	}
	if version < schemaVersion {
		return fmt.Errorf("the schema has version %d and must have %d, call Migrate", version, schemaVersion)
	}
	s.migrated.Store(true)
	return nil
}
