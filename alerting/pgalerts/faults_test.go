package pgalerts_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
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

// The server is killed and restarted again and again while instances store events,
// deliver notifications and look at timers. Whoever gets an error tries again, as a
// monitor does.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	server := testservice.Postgres(t)
	pool := newPool(t, server.URL())
	if err := pgalerts.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	settings := escalating(time.Millisecond)
	settings.Cooldown = 30 * time.Second
	if _, err := newStore(t, pool, nil).SaveSettings(t.Context(), "acme", settings, "ann"); err != nil {
		t.Fatal(err)
	}
	// What was ever in the outbox.
	run(t, pool, `CREATE TABLE written (idempotency_key text PRIMARY KEY)`)
	run(t, pool, `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO written VALUES (NEW.idempotency_key);
		RETURN NEW;
	END $$`)
	run(t, pool, `CREATE TRIGGER note AFTER INSERT ON auditwarden_alert_outbox FOR EACH ROW WHEN (NEW.route = '') EXECUTE FUNCTION note()`)

	const instances, calls, incidents = 4, 120, 7
	var storing, tending sync.WaitGroup
	progress := make(chan struct{}, instances*calls)
	stored := make(chan struct{})
	var dispatchers []*dispatcher
	for i := range instances {
		s := newStore(t, newPool(t, server.URL()), nil)
		d := newDispatcher(s)
		d.lease = 200 * time.Millisecond
		dispatchers = append(dispatchers, d)
		storing.Go(func() {
			for call := range calls {
				var batch []*monitor.Occurrence
				for e := range 5 {
					event := call*5 + e
					batch = append(batch, occurrence(fmt.Sprint("k", event%incidents), fmt.Sprint(i, "/", event), event))
				}
				persist(t, "StoreOccurrences", func() error {
					_, err := s.StoreOccurrences(t.Context(), batch)
					return err
				})
				progress <- struct{}{}
			}
		})
		tending.Go(func() {
			for last := false; !last; {
				select {
				case <-stored:
					last = true
				default:
				}
				persist(t, "Advance", func() error {
					_, err := s.Advance(t.Context(), 100)
					return err
				})
				persist(t, "dispatch", func() error {
					_, err := d.dispatch(t.Context())
					return err
				})
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
	storing.Wait()
	close(stored)
	tending.Wait()

	var sum int64
	alerts := all(t, newStore(t, pool, nil), alerting.Query{})
	for _, a := range alerts {
		sum += a.Occurrences
	}
	if len(alerts) != incidents || sum != instances*calls*5 {
		t.Errorf("%d alerts with %d occurrences, want %d with %d", len(alerts), sum, incidents, instances*calls*5)
	}
	checkSums(t, pool)
	delivered := drain(t, pool)
	for _, d := range dispatchers {
		for key, n := range d.delivered {
			delivered[key] += n
		}
	}
	written := scan[[]string](t, pool, `SELECT array_agg(idempotency_key) FROM written`)
	for _, key := range written {
		if delivered[key] == 0 {
			t.Errorf("%s was not delivered", key)
		}
	}
	for _, a := range alerts {
		for _, key := range []string{a.ID + "/" + monitor.EventKeyOf("acme", a.Finding.Event.ID).String(), a.ID + "/version-1/step-1", a.ID + "/version-1/step-2"} {
			if !slices.Contains(written, key) {
				t.Errorf("%s was not written", key)
			}
		}
	}
}

// persist tries until there is no error, or the test ends.
func persist(t *testing.T, what string, f func() error) {
	t.Helper()
	for {
		err := f()
		if err == nil {
			return
		}
		if t.Context().Err() != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
	}
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
	claimed, err := s.ClaimNotifications(t.Context(), "", 1, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v, %v", claimed, err)
	}
	server.Pause()
	for what, call := range map[string]func(ctx context.Context) error{
		"StoreOccurrences": func(ctx context.Context) error { return store(ctx, s, occurrence("mallory", "e2", 0)) },
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
		"ClaimNotifications": func(ctx context.Context) error {
			_, err := s.ClaimNotifications(ctx, "", 1, time.Minute)
			return err
		},
		"SettleNotifications": func(ctx context.Context) error {
			return s.SettleNotifications(ctx, []alerting.Settlement{{Notification: claimed[0]}})
		},
		"Redrive": func(ctx context.Context) error {
			_, err := s.Redrive(ctx, "acme", "pager")
			return err
		},
		"DeadLetters": func(ctx context.Context) (err error) {
			for _, err = range s.DeadLetters(ctx, alerting.DeadLetterQuery{Organization: "acme"}) {
			}
			return err
		},
		"Backlog": func(ctx context.Context) error {
			_, err := s.Backlog(ctx)
			return err
		},
		"Advance": func(ctx context.Context) error {
			_, err := s.Advance(ctx, 10)
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
	if b, err := s.Backlog(t.Context()); err != nil || b.Waiting+len(drain(t, pool)) < 1 {
		t.Errorf("backlog %+v, %v", b, err)
	}
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
			checked := func(what string, err error) {
				t.Helper()
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
				check(what)
			}

			p.cut(cuts...)
			ds := put(t, s, occurrence("mallory", "e1", 0), occurrence("mallory", "e2", 1), occurrence("eve", "known", 0))
			for i, want := range []monitor.Disposition{
				{AlertID: ds[0].AlertID, Stored: monitor.StoredNew, Notify: monitor.NotifyDue},
				{AlertID: ds[0].AlertID, Stored: monitor.StoredRepeat},
				{AlertID: ds[2].AlertID, Stored: monitor.StoredBefore},
			} {
				if ds[i] != want {
					t.Errorf("disposition %d = %+v, want %+v", i, ds[i], want)
				}
			}
			check("StoreOccurrences")

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

			p.cut(cuts...)
			a, err = s.Reopen(t.Context(), monitor.AlertRef{Organization: "acme", ID: ds[0].AlertID}, "ann", "")
			checked("Reopen", err)
			if a != nil && (a.Status != monitor.AlertActive || a.Version != 3) {
				t.Errorf("Reopen: %+v", a)
			}

			saved.Escalations = escalating(time.Millisecond).Escalations
			if _, err := s.SaveSettings(t.Context(), "acme", saved, "ann"); err != nil {
				t.Fatal(err)
			}
			escalated := func() int {
				return scan[int](t, direct, `SELECT count(*) FROM auditwarden_alert_outbox WHERE reason = 'escalated'`)
			}
			for escalated() == 0 { // until it is time
				p.cut(cuts...)
				_, err = s.Advance(t.Context(), 1)
				checked("Advance", err)
			}
			for escalated() < 4 { // two steps of two alerts
				_, err = s.Advance(t.Context(), 10)
				if err != nil {
					t.Fatal(err)
				}
			}
			want := []string{"escalated", "escalated", "opened", "reopened", "resolved"}
			if got := scan[[]string](t, direct, `SELECT array_agg(reason ORDER BY reason) FROM auditwarden_alert_outbox
				WHERE alert_id = $1`, ds[0].AlertID); !slices.Equal(got, want) {
				t.Errorf("there are notifications %q, want %q", got, want)
			}

			claim := func(route string) *alerting.Notification {
				t.Helper()
				run(t, direct, `UPDATE auditwarden_alert_outbox SET due_at = created_at`)
				ns, err := s.ClaimNotifications(t.Context(), route, 1, time.Minute)
				if err != nil || len(ns) != 1 {
					t.Fatalf("claimed %d on route %q, %v", len(ns), route, err)
				}
				return ns[0]
			}
			const total = 5 + 3
			for _, step := range []struct {
				route         string
				s             alerting.Settlement
				waiting, dead int
			}{
				{"", alerting.Settlement{Outcome: alerting.OutcomeRouted, Routes: []string{"pager", "mail"}}, total + 1, 0},
				{"pager", alerting.Settlement{Outcome: alerting.OutcomeRetry, RetryAfter: time.Hour}, total + 1, 0},
				{"pager", alerting.Settlement{Outcome: alerting.OutcomeDelivered}, total, 0},
				{"mail", alerting.Settlement{Outcome: alerting.OutcomeDead}, total - 1, 1},
			} {
				step.s.Notification = claim(step.route)
				p.cut(cuts...)
				checked("SettleNotifications", s.SettleNotifications(t.Context(), []alerting.Settlement{step.s}))
				if b, err := s.Backlog(t.Context()); err != nil || b.Waiting != step.waiting || b.Dead != step.dead {
					t.Errorf("backlog %+v, %v, want %d that wait and %d dead", b, err, step.waiting, step.dead)
				}
			}
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
	checkAll(t, admin)
	held.Release()
}

// A server that only reads answers at once, and still reads.
func testReadOnly(t *testing.T, server string) {
	pool := migrated(t, server)
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
	tr := &tracer{}
	s := newStore(t, traced(t, with(t, pool.Config().ConnString(), "default_transaction_read_only", "on"), 1, tr), nil)
	_, err := s.StoreOccurrences(t.Context(), []*monitor.Occurrence{occurrence("mallory", "e2", 0)})
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "25006" {
		t.Errorf("StoreOccurrences: %v, want read_only_sql_transaction", err)
	}
	if codes := tr.failed(); len(codes) != 1 {
		t.Errorf("the server returned %q, want one error", codes)
	}
	if _, err := s.ClaimNotifications(t.Context(), "", 1, time.Minute); err == nil {
		t.Error("notifications were claimed")
	}
	if n := len(all(t, s, alerting.Query{})); n != 1 {
		t.Errorf("%d alerts are listed", n)
	}
	checkAll(t, pool)
}

// A role that lost one of its rights, or a server that lost a file, stores an alert
// as a whole or not at all, and everything is well when they are back.
func testRevoked(t *testing.T, server string) {
	pool := migrated(t, server)
	name := schemaName(t, pool.Config().ConnString())
	role, as := newRole(t, server, "")
	grant := func() {
		run(t, pool, `GRANT USAGE ON SCHEMA `+name+` TO `+role)
		run(t, pool, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA `+name+` TO `+role)
	}
	s := newStore(t, newPool(t, as(pool.Config().ConnString())), nil)
	grant()
	put(t, s, occurrence("mallory", "e0", 0))
	for i, revoked := range []string{
		`INSERT ON auditwarden_alert_outbox`, `INSERT ON auditwarden_alert_history`, `INSERT ON auditwarden_alert_occurrences`,
		`INSERT, UPDATE ON auditwarden_alerts`, `SELECT ON auditwarden_alert_settings`, `USAGE ON SCHEMA ` + name,
	} {
		run(t, pool, `REVOKE `+revoked+` FROM `+role)
		o := occurrence(fmt.Sprint("eve", i), "e", 0)
		_, err := s.StoreOccurrences(t.Context(), []*monitor.Occurrence{o, occurrence("mallory", fmt.Sprint("e", i), 0)})
		pg, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || pg.Code != "42501" && pg.Code != "42P01" { // tables of a schema that one may not use do not exist
			t.Errorf("StoreOccurrences without %s: %v, want it refused", revoked, err)
		}
		if n := scan[int](t, pool, `SELECT sum(occurrences) FROM auditwarden_alerts`); n != 1+2*i {
			t.Errorf("%d occurrences are stored without %s, want %d", n, revoked, 1+2*i)
		}
		grant()
		put(t, s, o, occurrence("mallory", fmt.Sprint("e", i+1), 0))
	}
	checkAll(t, pool)
}

func TestLostFile(t *testing.T) {
	t.Parallel()
	server := testservice.Postgres(t)
	pool := newPool(t, server.URL())
	if err := pgalerts.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	s := newStore(t, pool, nil)
	put(t, s, occurrence("mallory", "e0", 0))
	run(t, pool, `CHECKPOINT`)
	file := filepath.Join(scan[string](t, pool, `SHOW data_directory`), scan[string](t, pool, `SELECT pg_relation_filepath('auditwarden_alert_outbox')`))
	if err := os.Chmod(file, 0); err != nil {
		t.Fatal(err)
	}
	pool.Reset() // connections keep files open
	_, err := s.StoreOccurrences(t.Context(), []*monitor.Occurrence{occurrence("mallory", "e1", 600), occurrence("eve", "e2", 0)})
	if _, ok := errors.AsType[*pgconn.PgError](err); !ok || !strings.Contains(err.Error(), "could not open file") {
		t.Errorf("StoreOccurrences: %v, want an error about a file", err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if as := all(t, s, alerting.Query{}); len(as) != 1 || as[0].Occurrences != 1 {
		t.Errorf("there are %v, want one alert with one occurrence", as)
	}
	put(t, s, occurrence("mallory", "e1", 600), occurrence("eve", "e2", 0))
	checkAll(t, pool)
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
