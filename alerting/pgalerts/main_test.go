package pgalerts_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/leaktest"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// TestOneServer are the tests that leave their server alone.
func TestOneServer(t *testing.T) {
	t.Parallel()
	server := testservice.PostgresURL(t)
	for name, test := range map[string]func(t *testing.T, server string){
		"Modes":                    testModes,
		"Pooler":                   testPooler,
		"MigrateAtOnce":            testMigrateAtOnce,
		"MigrateThroughPooler":     testMigrateThroughPooler,
		"MigrateDown":              testMigrateDown,
		"MigrateStepByStep":        testMigrateStepByStep,
		"MigrateWithoutPermission": testMigrateWithoutPermission,
		"SchemaVersion":            testSchemaVersion,
		"BadOptions":               testBadOptions,
		"StoreWithRowSecurity":     testStoreWithRowSecurity,
		"RowSecurity":              testRowSecurity,
		"RowSecurityOff":           testRowSecurityOff,
		"Constraints":              testConstraints,
		"ReferenceView":            testReferenceView,
		"HostileText":              testHostileText,
		"WhatCannotBeStored":       testWhatCannotBeStored,
		"LongOrganization":         testLongOrganization,
		"Times":                    testTimes,
		"PagesUseIndexes":          testPagesUseIndexes,
		"WritesUseIndexes":         testWritesUseIndexes,
		"KeysUseIndexes":           testKeysUseIndexes,
		"Instances":                testInstances,
		"Race":                     testRace,
		"Deadlock":                 testDeadlock,
		"Outbox":                   testOutbox,
		"Claimers":                 testClaimers,
		"RoutedOutOfOrder":         testRoutedOutOfOrder,
		"BrokenAlert":              testBrokenAlert,
		"HeapOnly":                 testHeapOnly,
		"TimersOnce":               testTimersOnce,
		"BrokenSettings":           testBrokenSettings,
		"SettingsRace":             testSettingsRace,
		"AllSettingsInPages":       testAllSettingsInPages,
		"EverythingAtOnce":         testEverythingAtOnce,
		"OpenedAndWorse":           testOpenedAndWorse,
		"RoundTrips":               testRoundTrips,
		"PurgeInChunks":            testPurgeInChunks,
		"LostCommit":               testLostCommit,
		"ConnectionLimit":          testConnectionLimit,
		"ReadOnly":                 testReadOnly,
		"Revoked":                  testRevoked,
		"Cancel":                   testCancel,
		"Retry":                    testRetry,
		"MaxAttempts":              testMaxAttempts,
		"Terminated":               testTerminated,
		"Failover":                 testFailover,
		"SaveSettingsAlone":        testSaveSettingsAlone,
		"Sweep":                    testSweep,
		"SweepOvertaken":           testSweepOvertaken,
		"Unrouted":                 testUnrouted,
		"Backlog":                  testBacklog,
		"LockHeld":                 testLockHeld,
		"Flapping":                 testFlapping,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, server)
		})
	}
}

// migrated returns a pool on a schema of the test's own that is up to date.
func migrated(t testing.TB, server string) *pgxpool.Pool {
	t.Helper()
	pool := testservice.PostgresPool(t, testservice.PostgresSchema(t, server))
	require.NoError(t, pgalerts.Migrate(t.Context(), pool))
	return pool
}

func run(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	_, err := pool.Exec(context.Background(), sql, args...)
	require.NoError(t, err, sql)
}

// scan returns the one value that a query has.
func scan[T any](t testing.TB, pool *pgxpool.Pool, sql string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, pool.QueryRow(context.Background(), sql, args...).Scan(&v), sql)
	return v
}

func newStore(t testing.TB, pool *pgxpool.Pool, o *pgalerts.Options) *pgalerts.Store {
	t.Helper()
	s, err := pgalerts.New(pool, o)
	require.NoError(t, err)
	return s
}

// requireCode checks that an error is the server's, with that SQLSTATE.
func requireCode(t testing.TB, code string, err error, what ...any) {
	t.Helper()
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg, what...)
	require.Equal(t, code, pg.Code, what...)
}

// at is an event time in seconds.
func at(seconds int) time.Time {
	return time.Date(2024, 3, 1, 9, 0, seconds, 0, time.UTC)
}

func occurrence(key, event string, seconds int) *monitor.Occurrence {
	return alertingtest.Occurrence("acme", key, event, at(seconds))
}

// pager is a route that takes every notification.
func pager() []alerting.Route {
	return []alerting.Route{{Name: "pager", Reasons: alerting.Reasons(), ExpireAfter: 24 * time.Hour}}
}

// store stores occurrences.
func store(ctx context.Context, s driver.Store, os ...*monitor.Occurrence) error {
	_, err := s.StoreOccurrences(ctx, os)
	return err
}

func put(t testing.TB, s driver.Store, os ...*monitor.Occurrence) []monitor.Disposition {
	t.Helper()
	ds, err := s.StoreOccurrences(t.Context(), os)
	require.NoError(t, err)
	return ds
}

// all returns the organization's alerts, newest first.
func all(t testing.TB, s driver.Store, q alerting.Query) []*monitor.Alert {
	t.Helper()
	if q.Organization == "" {
		q.Organization = "acme"
	}
	if q.Limit == 0 {
		q.Limit = alerting.MaxLimit
	}
	as, err := s.List(t.Context(), q)
	require.NoError(t, err)
	return as
}
