package pgalerts_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
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
		"Store":                    testStore,
		"Manager":                  testManager,
		"MigrateAtOnce":            testMigrateAtOnce,
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
		"Instances":                testInstances,
		"Race":                     testRace,
		"Deadlock":                 testDeadlock,
		"Outbox":                   testOutbox,
		"Claimers":                 testClaimers,
		"BrokenAlert":              testBrokenAlert,
		"HeapOnly":                 testHeapOnly,
		"AdvanceOnce":              testAdvanceOnce,
		"BrokenSettings":           testBrokenSettings,
		"SettingsRace":             testSettingsRace,
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
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, server)
		})
	}
}

// newPool returns a pool on that server.
func newPool(t testing.TB, server string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// schema makes a schema of the test's own and returns the URL of connections
// that work in it.
func schema(t testing.TB, server string) string {
	t.Helper()
	name := "t" + strings.ToLower(rand.Text())
	pool := newPool(t, server)
	run(t, pool, `CREATE SCHEMA `+name)
	t.Cleanup(func() { run(t, pool, `DROP SCHEMA `+name+` CASCADE`) })
	return with(t, server, "search_path", name)
}

// migrated returns a pool on a schema of the test's own that is up to date.
func migrated(t testing.TB, server string) *pgxpool.Pool {
	t.Helper()
	pool := newPool(t, schema(t, server))
	if err := pgalerts.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	return pool
}

// with returns the URL with another parameter.
func with(t testing.TB, server, key, value string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func run(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// scan returns the one value that a query has.
func scan[T any](t testing.TB, pool *pgxpool.Pool, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := pool.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func newStore(t testing.TB, pool *pgxpool.Pool, o *pgalerts.Options) *pgalerts.Store {
	t.Helper()
	s, err := pgalerts.New(pool, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at is an event time in seconds.
func at(seconds int) time.Time {
	return time.Date(2024, 3, 1, 9, 0, seconds, 0, time.UTC)
}

func occurrence(key, event string, seconds int) *monitor.Occurrence {
	return alertingtest.Occurrence("acme", key, event, at(seconds))
}

// store stores an occurrence.
func store(ctx context.Context, s alerting.Store, o *monitor.Occurrence) error {
	_, err := s.StoreOccurrences(ctx, []*monitor.Occurrence{o})
	return err
}

func put(t testing.TB, s alerting.Store, os ...*monitor.Occurrence) []monitor.Disposition {
	t.Helper()
	ds, err := s.StoreOccurrences(t.Context(), os)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// all returns the organization's alerts, newest first.
func all(t testing.TB, s alerting.Store, q alerting.Query) []*monitor.Alert {
	t.Helper()
	if q.Organization == "" {
		q.Organization = "acme"
	}
	if q.Limit == 0 {
		q.Limit = alerting.MaxLimit
	}
	var as []*monitor.Alert
	for a, err := range s.List(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		as = append(as, a)
	}
	return as
}
