package pgalerts_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// The server is killed and restarted again and again while instances store
// events. Whoever gets an error tries again, as a monitor does.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	server := testservice.Postgres(t)
	pool := newPool(t, server.URL())
	if err := pgalerts.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	const instances, calls, incidents = 4, 150, 7
	var stored sync.WaitGroup
	progress := make(chan struct{}, instances*calls)
	for i := range instances {
		s := newStore(t, newPool(t, server.URL()), nil)
		stored.Go(func() {
			for call := range calls {
				var batch []*monitor.Alert
				for e := range 5 {
					event := call*5 + e
					batch = append(batch, occurrence(fmt.Sprint("k", event%incidents), fmt.Sprint(i, "/", event), event))
				}
				for {
					_, err := s.StoreAlerts(t.Context(), batch)
					if err == nil {
						break
					}
					if t.Context().Err() != nil {
						t.Errorf("StoreAlerts: %v", err)
						return
					}
				}
				progress <- struct{}{}
			}
		})
	}
	for range 3 {
		for range instances * calls / 5 {
			<-progress
		}
		server.Kill()
		server.Restart()
	}
	stored.Wait()

	var sum int64
	alerts := all(t, newStore(t, pool, nil), alerting.Query{})
	for _, a := range alerts {
		sum += a.Occurrences
	}
	if len(alerts) != incidents || sum != instances*calls*5 {
		t.Errorf("%d alerts with %d occurrences, want %d with %d", len(alerts), sum, incidents, instances*calls*5)
	}
	checkSums(t, pool)
}

// A server that hangs is waited for as long as the caller wants.
func TestPausedServer(t *testing.T) {
	t.Parallel()
	server := testservice.Postgres(t)
	pool := newPool(t, server.URL())
	if err := pgalerts.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	s := newStore(t, pool, nil)
	a := put(t, s, occurrence("mallory", "e1", 0))[0]
	server.Pause()
	for what, call := range map[string]func(ctx context.Context) error{
		"StoreAlerts": func(ctx context.Context) error { return s.HandleAlert(ctx, occurrence("mallory", "e2", 0)) },
		"Get": func(ctx context.Context) error {
			_, err := s.Get(ctx, monitor.AlertRef{Organization: "acme", ID: a.AlertID})
			return err
		},
		"Resolve": func(ctx context.Context) error {
			_, err := s.Resolve(ctx, monitor.AlertRef{Organization: "acme", ID: a.AlertID}, "ann", "")
			return err
		},
		"Purge": func(ctx context.Context) error {
			_, err := s.Purge(ctx, "acme", at(0))
			return err
		},
		"the first use": func(ctx context.Context) error {
			_, err := newStore(t, pool, nil).Settings(ctx, "acme")
			return err
		},
		"Migrate": func(ctx context.Context) error { return pgalerts.Migrate(ctx, pool) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the deadline to be exceeded", what, err)
		}
		cancel()
	}
	server.Resume()
	put(t, s, occurrence("mallory", "e3", 0))
	checkSums(t, pool)
}

// Commits whose outcome the client does not hear of are as good as any other.
func testLostCommit(t *testing.T, server string) {
	for name, cuts := range map[string][]cut{
		"reply lost":                   {dropReply},
		"commit lost":                  {dropCommit},
		"both":                         {dropCommit, dropReply},
		"reply lost, then the retry's": {dropReply, dropReply},
	} {
		t.Run(name, func(t *testing.T) {
			direct := migrated(t, server)
			p, url := newProxy(t, direct.Config().ConnString())
			pool := newPool(t, url)
			s := newStore(t, pool, nil)
			check := func(what string) {
				t.Helper()
				if p.carriedOut() != len(cuts) {
					t.Errorf("%s: %d of %d cuts were carried out", what, p.carriedOut(), len(cuts))
				}
				checkSums(t, direct)
			}
			put(t, s, occurrence("eve", "known", 0))

			p.cut(cuts...)
			ds := put(t, s, occurrence("mallory", "e1", 0), occurrence("mallory", "e2", 1), occurrence("eve", "known", 0))
			for i, want := range []monitor.Disposition{
				{AlertID: ds[0].AlertID, Stored: monitor.Created, Notify: monitor.NotifyDue},
				{AlertID: ds[0].AlertID, Stored: monitor.Repeated},
				{AlertID: ds[2].AlertID, Stored: monitor.Counted},
			} {
				if ds[i] != want {
					t.Errorf("disposition %d = %+v, want %+v", i, ds[i], want)
				}
			}
			check("StoreAlerts")

			p.cut(cuts...)
			ref := monitor.AlertRef{Organization: "acme", ID: ds[0].AlertID, Version: 1}
			a, err := s.Resolve(t.Context(), ref, "ann", "done")
			if err != nil || a.Status != monitor.AlertResolved || a.ResolutionNotes != "done" || a.Version != 2 {
				t.Errorf("Resolve: %+v, %v", a, err)
			}
			if history, err := s.History(t.Context(), ref); err != nil || len(history) != 2 {
				t.Errorf("history %v, %v", history, err)
			}
			check("Resolve")

			p.cut(cuts...)
			saved, err := s.SaveSettings(t.Context(), "acme", alerting.Settings{Cooldown: time.Hour}, "ann")
			if err != nil || saved.Version != 1 || saved.Cooldown != time.Hour {
				t.Errorf("SaveSettings: %+v, %v", saved, err)
			}
			check("SaveSettings")
		})
	}
}

// Connections that cannot be had now are waited for a while.
func testConnectionLimit(t *testing.T, server string) {
	admin := migrated(t, server)
	schema := admin.Config().ConnString()
	role, as := newRole(t, server, "SUPERUSER CONNECTION LIMIT 1")
	run(t, admin, `ALTER ROLE `+role+` NOSUPERUSER`)
	run(t, admin, `GRANT USAGE ON SCHEMA `+schemaName(t, schema)+` TO `+role)
	run(t, admin, `GRANT ALL ON ALL TABLES IN SCHEMA `+schemaName(t, schema)+` TO `+role)
	held, err := newPool(t, as(schema)).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = newStore(t, newPool(t, as(schema)), &pgalerts.Options{MaxAttempts: 2}).Settings(t.Context(), "acme")
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "53300" {
		t.Errorf("Settings: %v, want too_many_connections", err)
	}
	// Released after the first attempt was refused.
	tr := &tracer{}
	config, err := pgxpool.ParseConfig(as(schema))
	if err != nil {
		t.Fatal(err)
	}
	attempts := 0
	config.BeforeConnect = func(ctx context.Context, _ *pgx.ConnConfig) error {
		if attempts++; attempts == 2 {
			return held.Conn().Close(ctx)
		}
		return nil
	}
	config.ConnConfig.Tracer = tr
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
	if attempts < 2 {
		t.Errorf("%d attempts to connect were made", attempts)
	}
	held.Release()
}

// A server that only reads answers at once, and still reads.
func testReadOnly(t *testing.T, server string) {
	pool := migrated(t, server)
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
	tr := &tracer{}
	s := newStore(t, traced(t, with(t, pool.Config().ConnString(), "default_transaction_read_only", "on"), 1, tr), nil)
	_, err := s.StoreAlerts(t.Context(), []*monitor.Alert{occurrence("mallory", "e2", 0)})
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "25006" {
		t.Errorf("StoreAlerts: %v, want read_only_sql_transaction", err)
	}
	if codes := tr.failed(); len(codes) != 1 {
		t.Errorf("the server returned %q, want one error", codes)
	}
	if n := len(all(t, s, alerting.Query{})); n != 1 {
		t.Errorf("%d alerts are listed", n)
	}
}

// A service that is not configured well is told what is wrong, and not what the
// password is.
func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	const secret = "open-sesame"
	server := testservice.Postgres(t)
	admin := newPool(t, server.URL())
	authenticate(t, server.URL())
	run(t, admin, `CREATE ROLE service LOGIN PASSWORD 'right'`)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	for name, tt := range map[string]struct {
		change func(u *url.URL)
		want   string
	}{
		"nobody listens":   {func(u *url.URL) { u.Host = nobody.Addr().String() }, "connection refused"},
		"no such host":     {func(u *url.URL) { u.Host = "host.invalid:5432" }, "host.invalid"},
		"wrong password":   {func(u *url.URL) { u.User = url.UserPassword("service", secret) }, "28P01"},
		"no such role":     {func(u *url.URL) { u.User = url.UserPassword("somebody", secret) }, "28P01"},
		"no such database": {func(u *url.URL) { u.Path = "/nothing" }, "3D000"},
		"no TLS":           {func(u *url.URL) { u.RawQuery = "sslmode=require" }, "TLS"},
		"no such schema":   {func(u *url.URL) { u.RawQuery = "sslmode=disable&search_path=nowhere" }, "there is no schema, call Migrate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(server.URL())
			if err != nil {
				t.Fatal(err)
			}
			u.User = url.UserPassword("test", secret)
			tt.change(u)
			pool := newPool(t, u.String())
			migrateErr := pgalerts.Migrate(t.Context(), pool)
			_, err = newStore(t, pool, &pgalerts.Options{MaxAttempts: 2}).Settings(t.Context(), "acme")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Settings: %v, want an error with %q", err, tt.want)
			}
			if migrateErr == nil {
				t.Error("Migrate succeeded")
			}
			for _, err := range []error{err, migrateErr} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("the password is in %q", err)
				}
			}
		})
	}
}

// authenticate makes a server ask everybody but its superuser for a password.
func authenticate(t *testing.T, server string) {
	t.Helper()
	pool := newPool(t, server)
	run(t, pool, fmt.Sprintf(`COPY (VALUES
		('host all test 127.0.0.1/32 trust'),
		('host all service,somebody 127.0.0.1/32 scram-sha-256')) TO '%s'`, scan[string](t, pool, `SHOW hba_file`)))
	run(t, pool, `SELECT pg_reload_conf()`)
	stranger := strings.Replace(server, "test@", "somebody@", 1)
	for t.Context().Err() == nil { // the server takes notice in its own time
		conn, err := pgx.Connect(t.Context(), stranger)
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "28P01" || err != nil && !ok {
			return
		}
		if err == nil {
			conn.Close(t.Context())
		}
	}
}
