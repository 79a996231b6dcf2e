package pgalerts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
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
			pg, failed := errors.AsType[*pgconn.PgError](err)
			switch {
			case transient && (err != nil || attempts() != 3):
				t.Errorf("StoreOccurrences: %v after %d attempts, want success after 3", err, attempts())
			case !transient && (!failed || pg.Code != code || attempts() != 1):
				t.Errorf("StoreOccurrences: %v after %d attempts, want an error after 1", err, attempts())
			}
		})
	}
}

func testMaxAttempts(t *testing.T, server string) {
	for option, want := range map[int]int{0: 10, 1: 1, 3: 3} {
		pool := migrated(t, server)
		attempts := failing(t, pool, "40001", 1000)
		s := newStore(t, pool, &pgalerts.Options{MaxAttempts: option})
		err := store(t.Context(), s, occurrence("mallory", "e1", 0))
		if pg, failed := errors.AsType[*pgconn.PgError](err); !failed || pg.Code != "40001" || attempts() != want {
			t.Errorf("MaxAttempts %d: %v after %d attempts, want %d", option, err, attempts(), want)
		}
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
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("StoreOccurrences: %v after %d attempts, want the deadline to be exceeded", err, attempts())
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := store(canceled, newStore(t, pool, nil), occurrence("mallory", "e1", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("StoreOccurrences: %v, want it to be canceled", err)
	}
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
		"Get": func() error { _, err := s.Get(t.Context(), ref); return err },
		"StoreOccurrences": func() error {
			return store(t.Context(), s, occurrence("mallory", "e1", 0))
		},
		"Acknowledge": func() error { _, err := s.Acknowledge(t.Context(), ref, "ann", ""); return err },
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
		if err := call(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	checkAll(t, pool)
}
