package pgalerts_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	pool := testservice.PostgresPool(t, server.URL())
	require.NoError(t, pgalerts.Migrate(t.Context(), pool))
	settings := escalating(time.Millisecond)
	settings.Cooldown = 30 * time.Second
	_, err := newStore(t, pool, nil).SaveSettings(t.Context(), "acme", settings, "ann")
	require.NoError(t, err)
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
		s := newStore(t, testservice.PostgresPool(t, server.URL()), nil)
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
				persist(t, "RunTimers", func() error {
					_, _, err := s.RunTimers(t.Context())
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
	assert.Len(t, alerts, incidents)
	assert.EqualValues(t, instances*calls*5, sum)
	checkSums(t, pool)
	delivered := drain(t, pool)
	for _, d := range dispatchers {
		for key, n := range d.delivered {
			delivered[key] += n
		}
	}
	written := scan[[]string](t, pool, `SELECT array_agg(idempotency_key) FROM written`)
	for _, key := range written {
		assert.NotZero(t, delivered[key], "%s was not delivered", key)
	}
	for _, a := range alerts {
		for _, key := range []string{a.ID + "/" + monitor.EventKeyOf("acme", a.Finding.Event.ID).String(), a.ID + "/version-1/step-1", a.ID + "/version-1/step-2"} {
			assert.Contains(t, written, key)
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
	pool := testservice.PostgresPool(t, server.URL())
	require.NoError(t, pgalerts.Migrate(t.Context(), pool))
	s := newStore(t, pool, nil)
	a := put(t, s, occurrence("mallory", "e1", 0))[0]
	claimed, err := s.ClaimNotifications(t.Context(), "pager", pager(), nil, 1, time.Minute)
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	server.Pause()
	for what, call := range map[string]func(ctx context.Context) error{
		"StoreOccurrences": func(ctx context.Context) error { return store(ctx, s, occurrence("mallory", "e2", 0)) },
		"Get": func(ctx context.Context) error {
			_, _, err := s.Get(ctx, monitor.AlertRef{Organization: "acme", ID: a.AlertID})
			return err
		},
		"Resolve": func(ctx context.Context) error {
			_, err := s.Change(ctx, monitor.AlertRef{Organization: "acme", ID: a.AlertID}, monitor.AlertResolved, "ann", "")
			return err
		},
		"Purge": func(ctx context.Context) error {
			_, err := s.Purge(ctx, "acme", at(0))
			return err
		},
		"ClaimNotifications": func(ctx context.Context) error {
			_, err := s.ClaimNotifications(ctx, "pager", pager(), nil, 1, time.Minute)
			return err
		},
		"SettleNotifications": func(ctx context.Context) error {
			return s.SettleNotifications(ctx, []alerting.Delivery{{Notification: claimed[0]}})
		},
		"Redrive": func(ctx context.Context) error {
			_, err := s.Redrive(ctx, "acme", "pager")
			return err
		},
		"DeadLetters": func(ctx context.Context) error {
			_, err := s.DeadLetters(ctx, alerting.DeadLetterQuery{Organization: "acme", Limit: 10})
			return err
		},
		"Backlog": func(ctx context.Context) error {
			_, err := s.Backlog(ctx)
			return err
		},
		"RunTimers": func(ctx context.Context) error {
			_, _, err := s.RunTimers(ctx)
			return err
		},
		"the first use": func(ctx context.Context) error {
			_, err := newStore(t, pool, nil).Settings(ctx, "acme")
			return err
		},
		"Migrate": func(ctx context.Context) error { return pgalerts.Migrate(ctx, pool) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		require.ErrorIs(t, call(ctx), context.DeadlineExceeded, what)
		cancel()
	}
	server.Resume()
	put(t, s, occurrence("mallory", "e3", 0))
	checkSums(t, pool)
	b, err := s.Backlog(t.Context())
	require.NoError(t, err)
	assert.Positive(t, b.Waiting+len(drain(t, pool)))
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
			pool := testservice.PostgresPool(t, url)
			s := newStore(t, pool, nil)
			check := func(what string) {
				t.Helper()
				assert.Equal(t, len(cuts), p.carriedOut(), "%s: cuts that were carried out", what)
				checkSums(t, direct)
			}
			put(t, s, occurrence("eve", "known", 0))
			checked := func(what string, err error) {
				t.Helper()
				require.NoError(t, err, what)
				check(what)
			}

			p.cut(cuts...)
			ds := put(t, s, occurrence("mallory", "e1", 0), occurrence("mallory", "e2", 1), occurrence("eve", "known", 0))
			assert.Equal(t, []monitor.Disposition{
				{AlertID: ds[0].AlertID, Stored: monitor.StoredNew, Notify: monitor.NotifyDue},
				{AlertID: ds[0].AlertID, Stored: monitor.StoredRepeat},
				{AlertID: ds[2].AlertID, Stored: monitor.StoredBefore},
			}, ds)
			check("StoreOccurrences")

			p.cut(cuts...)
			ref := monitor.AlertRef{Organization: "acme", ID: ds[0].AlertID, Version: 1}
			a, err := s.Change(t.Context(), ref, monitor.AlertResolved, "ann", "done")
			require.NoError(t, err)
			assert.Equal(t, monitor.AlertResolved, a.Status)
			assert.Equal(t, "done", a.ResolutionNotes)
			assert.EqualValues(t, 2, a.Version)
			_, history, err := s.Get(t.Context(), ref)
			require.NoError(t, err)
			assert.Len(t, history, 2)
			check("Resolve")

			p.cut(cuts...)
			saved, err := s.SaveSettings(t.Context(), "acme", alerting.Settings{Cooldown: time.Hour}, "ann")
			require.NoError(t, err)
			assert.EqualValues(t, 1, saved.Version)
			assert.Equal(t, time.Hour, saved.Cooldown)
			check("SaveSettings")

			p.cut(cuts...)
			a, err = s.Change(t.Context(), monitor.AlertRef{Organization: "acme", ID: ds[0].AlertID}, monitor.AlertActive, "ann", "")
			checked("Reopen", err)
			assert.Equal(t, monitor.AlertActive, a.Status)
			assert.EqualValues(t, 3, a.Version)

			saved.Escalations = escalating(time.Millisecond).Escalations
			_, err = s.SaveSettings(t.Context(), "acme", saved, "ann")
			require.NoError(t, err)
			escalated := func() int {
				return scan[int](t, direct, `SELECT count(*) FROM auditwarden_alert_outbox WHERE reason = 'escalated'`)
			}
			for escalated() == 0 { // until it is time
				p.cut(cuts...)
				_, _, err = s.RunTimers(t.Context())
				checked("RunTimers", err)
			}
			for escalated() < 4 { // two steps of two alerts
				_, _, err = s.RunTimers(t.Context())
				require.NoError(t, err)
			}
			want := []string{"escalated", "escalated", "opened", "reopened", "resolved"}
			assert.Equal(t, want, scan[[]string](t, direct, `SELECT array_agg(reason ORDER BY reason) FROM auditwarden_alert_outbox
				WHERE alert_id = $1`, ds[0].AlertID))

			all := append(pager(), pager()...)
			all[1].Name, all[1].Reasons = "mail", []alerting.Reason{alerting.ReasonOpened}
			claim := func(route string) *alerting.Notification {
				t.Helper()
				run(t, direct, `UPDATE auditwarden_alert_outbox SET due_at = created_at`)
				ns, err := s.ClaimNotifications(t.Context(), route, all, nil, 1, time.Minute)
				checked("ClaimNotifications", err)
				require.Len(t, ns, 1, "route %q", route)
				return ns[0]
			}
			const total = 5 + 3 + 2 // the last are for mail
			for _, step := range []struct {
				route         string
				d             alerting.Delivery
				waiting, dead int
			}{
				{"pager", alerting.Delivery{Outcome: alerting.OutcomeRetry, RetryAfter: time.Hour}, total, 0},
				{"pager", alerting.Delivery{Outcome: alerting.OutcomeDelivered}, total - 1, 0},
				{"mail", alerting.Delivery{Outcome: alerting.OutcomeDead}, total - 2, 1},
			} {
				step.d.Notification = claim(step.route)
				p.cut(cuts...)
				checked("SettleNotifications", s.SettleNotifications(t.Context(), []alerting.Delivery{step.d}))
				b, err := s.Backlog(t.Context())
				require.NoError(t, err)
				assert.Equal(t, step.waiting, b.Waiting)
				assert.Equal(t, step.dead, b.Dead)
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
	held, err := testservice.PostgresPool(t, as(schema)).Acquire(t.Context())
	require.NoError(t, err)
	defer held.Release()
	_, err = newStore(t, testservice.PostgresPool(t, as(schema)), &pgalerts.Options{MaxAttempts: 2}).Settings(t.Context(), "acme")
	requireCode(t, "53300", err) // too_many_connections
	// Released after the first attempt was refused.
	tr := &tracer{}
	config, err := pgxpool.ParseConfig(as(schema))
	require.NoError(t, err)
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
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
	assert.GreaterOrEqual(t, attempts, 2, "attempts to connect")
	checkAll(t, admin)
}

// A server that only reads still reads.
func testReadOnly(t *testing.T, server string) {
	pool := migrated(t, server)
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
	tr := &tracer{}
	s := newStore(t, traced(t, testservice.WithParameter(t, pool.Config().ConnString(), "default_transaction_read_only", "on"), 1, tr),
		&pgalerts.Options{MaxAttempts: 2})
	err := store(t.Context(), s, occurrence("mallory", "e2", 0))
	requireCode(t, "25006", err) // read_only_sql_transaction
	assert.Len(t, tr.failed(), 2, "errors of the server")
	_, err = s.ClaimNotifications(t.Context(), "pager", pager(), nil, 1, time.Minute)
	require.Error(t, err)
	assert.Len(t, all(t, s, alerting.Query{}), 1)
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
	s := newStore(t, testservice.PostgresPool(t, as(pool.Config().ConnString())), nil)
	grant()
	put(t, s, occurrence("mallory", "e0", 0))
	for i, revoked := range []string{
		`INSERT ON auditwarden_alert_outbox`, `INSERT ON auditwarden_alert_history`, `INSERT ON auditwarden_alert_occurrences`,
		`INSERT, UPDATE ON auditwarden_alerts`, `SELECT ON auditwarden_alert_settings`, `USAGE ON SCHEMA ` + name,
	} {
		run(t, pool, `REVOKE `+revoked+` FROM `+role)
		o := occurrence(fmt.Sprint("eve", i), "e", 0)
		err := store(t.Context(), s, o, occurrence("mallory", fmt.Sprint("e", i), 0))
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg, revoked)
		assert.Contains(t, []string{"42501", "42P01"}, pg.Code, revoked) // tables of a schema that one may not use do not exist
		assert.Equal(t, 1+2*i, scan[int](t, pool, `SELECT sum(occurrences) FROM auditwarden_alerts`), revoked)
		grant()
		put(t, s, o, occurrence("mallory", fmt.Sprint("e", i+1), 0))
	}
	checkAll(t, pool)
}

func TestLostFile(t *testing.T) {
	t.Parallel()
	server := testservice.Postgres(t)
	pool := testservice.PostgresPool(t, server.URL())
	require.NoError(t, pgalerts.Migrate(t.Context(), pool))
	s := newStore(t, pool, nil)
	put(t, s, occurrence("mallory", "e0", 0))
	run(t, pool, `CHECKPOINT`)
	file := filepath.Join(scan[string](t, pool, `SHOW data_directory`), scan[string](t, pool, `SELECT pg_relation_filepath('auditwarden_alert_outbox')`))
	require.NoError(t, os.Chmod(file, 0))
	pool.Reset() // connections keep files open
	err := store(t.Context(), s, occurrence("mallory", "e1", 600), occurrence("eve", "e2", 0))
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.ErrorContains(t, err, "could not open file")
	require.NoError(t, os.Chmod(file, 0o600))
	as := all(t, s, alerting.Query{})
	require.Len(t, as, 1)
	assert.EqualValues(t, 1, as[0].Occurrences)
	put(t, s, occurrence("mallory", "e1", 600), occurrence("eve", "e2", 0))
	checkAll(t, pool)
}

// A service that is not configured well is told what is wrong, and not what the
// password is.
func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	const secret = "open-sesame"
	server := testservice.Postgres(t)
	admin := testservice.PostgresPool(t, server.URL())
	authenticate(t, server.URL())
	run(t, admin, `CREATE ROLE service LOGIN PASSWORD 'right'`)
	nobody := "127.0.0.1:" + testservice.FreePort(t)
	for name, tt := range map[string]struct {
		change func(u *url.URL)
		want   string
	}{
		"nobody listens":   {func(u *url.URL) { u.Host = nobody }, "connection refused"},
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
			require.NoError(t, err)
			u.User = url.UserPassword("test", secret)
			tt.change(u)
			pool := testservice.PostgresPool(t, u.String())
			migrateErr := pgalerts.Migrate(t.Context(), pool)
			_, err = newStore(t, pool, &pgalerts.Options{MaxAttempts: 2}).Settings(t.Context(), "acme")
			require.ErrorContains(t, err, tt.want)
			require.Error(t, migrateErr)
			assert.NotContains(t, err.Error(), secret)
			assert.NotContains(t, migrateErr.Error(), secret)
		})
	}
}

// authenticate makes a server ask everybody but its superuser for a password.
func authenticate(t *testing.T, server string) {
	t.Helper()
	pool := testservice.PostgresPool(t, server)
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
