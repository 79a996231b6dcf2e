package pgalerts_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
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
	for code, transient := range map[string]bool{
		"40001": true, "40P01": true, "53300": true, "57P01": true, "57P02": true, "57P03": true, "08006": true,
		"23514": false, "25006": false, "42501": false, "57014": false, "53100": false,
	} {
		t.Run(code, func(t *testing.T) {
			pool := migrated(t, server)
			attempts := failing(t, pool, code, 2)
			err := store(t.Context(), newStore(t, pool, nil), occurrence("mallory", "e1", 0))
			if transient {
				require.NoError(t, err)
				assert.Equal(t, 3, attempts())
			} else {
				requireCode(t, code, err)
				assert.Equal(t, 1, attempts())
			}
		})
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
