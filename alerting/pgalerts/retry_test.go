package pgalerts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// failing makes the server refuse that many alerts with an error of that code,
// and returns a function that says how often an alert came.
func failing(t *testing.T, pool *pgxpool.Pool, code string, times int) (attempts func() int) {
	t.Helper()
	run(t, pool, `CREATE SEQUENCE attempts`) // not undone by a rollback
	run(t, pool, fmt.Sprintf(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('attempts') <= %d THEN
			RAISE EXCEPTION 'not now' USING ERRCODE = '%s';
		END IF;
		RETURN NEW;
	END $$`, times, code))
	run(t, pool, `CREATE TRIGGER fail BEFORE INSERT ON auditwarden_alerts FOR EACH ROW EXECUTE FUNCTION fail()`)
	return func() int { return scan[int](t, pool, `SELECT last_value FROM attempts`) }
}

func testRetry(t *testing.T, server string) {
	const repeated, reported, permanent = "repeated", "reported", "permanent"
	for code, want := range map[string]string{
		"40001": repeated, "40P01": repeated, // conflicts
		"53300": repeated, "57P01": repeated, "57P02": repeated, "57P03": repeated, "57P05": repeated, // it stops or starts
		"08000": repeated, "08006": repeated, "08P01": repeated, "25P03": repeated, // the connection breaks
		"25006": repeated, // it has become a standby
		"21000": permanent, "22001": permanent, "22003": permanent, "22008": permanent, "22021": permanent, "22P02": permanent,
		"22P05": permanent, "23502": permanent, "23514": permanent, "54000": permanent, "54001": permanent,
		"23503": reported, "23505": reported, "0A000": reported, "28000": reported, "3D000": reported, "42501": reported,
		"42P01": reported, "53000": reported, "53100": reported, "53200": reported, "53400": reported, "55006": reported,
		"55P03": reported, "57014": reported, "57P04": reported, "58030": reported, "P0001": reported, "XX000": reported, "XX001": reported,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			pool := migrated(t, server)
			attempts := failing(t, pool, code, 2)
			err := store(t.Context(), newStore(t, pool, nil), occurrence("mallory", "e1", 0))
			if want == repeated {
				require.NoError(t, err)
				assert.Equal(t, 3, attempts())
				return
			}
			requireCode(t, code, err)
			assert.Equal(t, 1, attempts())
			assert.Equal(t, want == permanent, errors.Is(err, monitor.ErrPermanent), err)
		})
	}
}

// After a failover, connections to the old server stay open and only read. They are
// replaced by others, all at once.
func testFailover(t *testing.T, server string) {
	database := testservice.PostgresDatabase(t, server)
	admin := testservice.PostgresPool(t, database)
	require.NoError(t, pgalerts.Migrate(t.Context(), admin))
	name := admin.Config().ConnConfig.Database
	const connections = 20 // more than a store makes attempts
	pool := testservice.PostgresPool(t, testservice.WithParameter(t, database, "pool_max_conns", fmt.Sprint(connections)))
	run(t, admin, `ALTER DATABASE `+name+` SET default_transaction_read_only = on`)
	var held []*pgxpool.Conn
	for range connections {
		c, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		held = append(held, c)
	}
	for _, c := range held {
		c.Release()
	}
	run(t, admin, `ALTER DATABASE `+name+` RESET default_transaction_read_only`)
	put(t, newStore(t, pool, &pgalerts.Options{MaxAttempts: 2}), occurrence("mallory", "e1", 0))
	for _, c := range pool.AcquireAllIdle(t.Context()) {
		var readOnly string
		require.NoError(t, c.QueryRow(t.Context(), `SHOW transaction_read_only`).Scan(&readOnly))
		assert.Equal(t, "off", readOnly)
		c.Release()
	}
}

func testMaxAttempts(t *testing.T, server string) {
	for option, want := range map[int]int{0: 10, 1: 1, 3: 3} {
		pool := migrated(t, server)
		attempts := failing(t, pool, "40001", 1000)
		s := newStore(t, pool, &pgalerts.Options{MaxAttempts: option})
		requireCode(t, "40001", store(t.Context(), s, occurrence("mallory", "e1", 0)))
		assert.Equal(t, want, attempts(), "MaxAttempts %d", option)
	}
	// Being overtaken by another instance is an attempt like any other.
	tr := &tracer{}
	pool := migrated(t, server)
	other := newStore(t, pool, nil)
	s := newStore(t, traced(t, pool.Config().ConnString(), 1, tr), &pgalerts.Options{MaxAttempts: 1})
	opened := 0
	tr.after = func(statements []string) {
		if slices.ContainsFunc(statements, func(sql string) bool { return strings.Contains(sql, "FOR NO KEY UPDATE") }) {
			opened++
			put(t, other, occurrence("mallory", "e1", 0))
		}
	}
	require.ErrorContains(t, store(t.Context(), s, occurrence("mallory", "e2", 0)), "another instance")
	assert.Equal(t, 1, opened, "attempts")
}

// A caller who gives up is not kept waiting, and told why there was something to
// wait for.
func testCancel(t *testing.T, server string) {
	pool := migrated(t, server)
	attempts := failing(t, pool, "40001", 1000)
	s := newStore(t, pool, &pgalerts.Options{MaxAttempts: 1_000_000})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := store(ctx, s, occurrence("mallory", "e1", 0))
	require.ErrorIs(t, err, context.DeadlineExceeded, "after %d attempts", attempts())
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store(canceled, newStore(t, pool, nil), occurrence("mallory", "e1", 0)), context.Canceled)
}

// A connection that is ended by an operator is replaced by another.
func testTerminated(t *testing.T, server string) {
	tr := &tracer{}
	pool := migrated(t, server)
	connections := traced(t, pool.Config().ConnString(), 1, tr)
	s := newStore(t, connections, nil)
	put(t, s, occurrence("eve", "e", 0))
	ref := all(t, s, alerting.Query{})[0].Ref()
	for what, call := range map[string]func() error{
		"Get": func() error { _, _, err := s.Get(t.Context(), ref); return err },
		"StoreOccurrences": func() error {
			return store(t.Context(), s, occurrence("mallory", "e1", 0))
		},
		"Acknowledge": func() error { _, err := s.Change(t.Context(), ref, monitor.AlertAcknowledged, "ann", ""); return err },
	} {
		connections.Reset()
		pid := scan[int](t, connections, `SELECT pg_backend_pid()`)
		var once sync.Once
		tr.after = func(statements []string) {
			if strings.Contains(strings.Join(statements, " "), "FROM auditwarden_alerts") {
				once.Do(func() {
					run(t, pool, `SELECT pg_terminate_backend($1, 10000)`, pid)
				})
			}
		}
		require.NoError(t, call(), what)
	}
	checkAll(t, pool)
}
