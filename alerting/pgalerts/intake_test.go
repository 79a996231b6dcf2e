package pgalerts_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// Ten instances under one attack: every event reaches two of them, in batches of
// several incidents and tenants in random order. There is one alert per incident
// with each event counted once, and nobody was in a deadlock.
func testInstances(t *testing.T, server string) {
	const instances, events, incidents = 10, 200, 5
	tr := &tracer{}
	first := migrated(t, server)
	schema := first.Config().ConnString()
	var running sync.WaitGroup
	for i := range instances {
		s := newStore(t, traced(t, schema, 2, tr), nil)
		running.Go(func() {
			var batch []*monitor.Occurrence
			for e := range events {
				for _, event := range []int{i*events + e, (i+1)%instances*events + e} {
					organization := fmt.Sprint("tenant", event%2)
					key := fmt.Sprint("k", event/2%incidents)
					batch = append(batch, alertingtest.Occurrence(organization, key, fmt.Sprint(event), at(event)))
				}
				if len(batch) >= 40 {
					rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
					_, err := s.StoreOccurrences(t.Context(), batch)
					assert.NoError(t, err)
					batch = batch[:0]
				}
			}
		})
	}
	running.Wait()
	s := newStore(t, first, nil)
	alerts := all(t, s, alerting.Query{Organization: alerting.AllOrganizations})
	var sum int64
	for _, a := range alerts {
		sum += a.Occurrences
	}
	assert.Len(t, alerts, 2*incidents)
	assert.EqualValues(t, instances*events, sum)
	checkAll(t, first)
	assert.Empty(t, tr.failed(), "errors of the server")
}

// checkSums checks that counters and rows agree.
func checkSums(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	for what, sql := range map[string]string{
		"alerts with a wrong counter": `SELECT count(*) FROM auditwarden_alerts AS a WHERE occurrences <> (
			SELECT sum(o.occurrences) FROM auditwarden_alert_occurrences AS o
			WHERE o.organization_id = a.organization_id AND o.alert_id = a.id)`,
		"alerts that nobody opened": `SELECT count(*) FROM auditwarden_alerts AS a WHERE NOT EXISTS (
			SELECT 1 FROM auditwarden_alert_history AS h
			WHERE h.organization_id = a.organization_id AND h.alert_id = a.id AND h.version = 1)`,
		"incidents with two open alerts": `SELECT count(*) FROM (
			SELECT 1 FROM auditwarden_alerts WHERE status IN ('active', 'acknowledged')
			GROUP BY organization_id, fingerprint HAVING count(*) > 1) AS doubled`,
	} {
		assert.Zero(t, scan[int](t, pool, sql), what)
	}
}

// Another instance stores something in the middle of a call.
func testRace(t *testing.T, server string) {
	type step func(t *testing.T, other *pgalerts.Store)
	opens := func(event string) step {
		return func(t *testing.T, other *pgalerts.Store) {
			t.Helper()
			put(t, other, occurrence("mallory", event, 0))
		}
	}
	closes := func(t *testing.T, other *pgalerts.Store) {
		t.Helper()
		for _, a := range all(t, other, alerting.Query{Statuses: []monitor.AlertStatus{monitor.AlertActive}}) {
			_, err := other.Change(t.Context(), a.Ref(), monitor.AlertResolved, "ann", "")
			require.NoError(t, err)
		}
	}
	for name, tt := range map[string]struct {
		during []step
		want   monitor.StoreResult
		alerts int
	}{
		"opened by the same event":            {[]step{opens("e1")}, monitor.StoredBefore, 1},
		"opened by another event":             {[]step{opens("e2")}, monitor.StoredRepeat, 1},
		"opened by the same event and closed": {[]step{opens("e1"), closes}, monitor.StoredBefore, 1},
		"opened by another event and closed":  {[]step{opens("e2"), closes}, monitor.StoredNew, 2},
		"opened, closed and opened again":     {[]step{opens("e1"), closes, opens("e3")}, monitor.StoredBefore, 2},
		"opened and closed twice":             {[]step{opens("e2"), closes, opens("e1"), closes}, monitor.StoredBefore, 2},
	} {
		t.Run(name, func(t *testing.T) {
			tr := &tracer{}
			s, pool := tracedStore(t, server, tr)
			other := newStore(t, pool, nil)
			var once sync.Once
			tr.after = func(statements []string) {
				if slices.ContainsFunc(statements, func(sql string) bool { return strings.Contains(sql, "FOR NO KEY UPDATE") }) {
					once.Do(func() {
						for _, step := range tt.during {
							step(t, other)
						}
					})
				}
			}
			assert.Equal(t, tt.want, put(t, s, occurrence("mallory", "e1", 0))[0].Stored)
			assert.Len(t, all(t, other, alerting.Query{}), tt.alerts)
			checkSums(t, pool)
			assert.Empty(t, tr.failed(), "errors of the server")
		})
	}
}

// A transaction of the host's own takes locks in another order.
func testDeadlock(t *testing.T, server string) {
	for name, attempts := range map[string]int{"tried again": 0, "tried once": 1} {
		t.Run(name, func(t *testing.T) {
			pool := migrated(t, server)
			s := newStore(t, pool, &pgalerts.Options{MaxAttempts: attempts})
			ds := put(t, s, occurrence("mallory", "e1", 0), occurrence("eve", "e2", 0))
			held, wanted := ds[0].AlertID, ds[1].AlertID // by fingerprint
			if fingerprint("eve") > fingerprint("mallory") {
				held, wanted = wanted, held
			}
			tx, err := pool.Begin(t.Context())
			require.NoError(t, err)
			defer tx.Rollback(t.Context())
			const lock = `SELECT 1 FROM auditwarden_alerts WHERE id = $1 FOR UPDATE`
			_, err = tx.Exec(t.Context(), `SET LOCAL deadlock_timeout = '60s'`) // the other finds out
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), lock, held)
			require.NoError(t, err)
			stored := make(chan error, 1)
			go func() { stored <- store(t.Context(), s, occurrence("mallory", "e3", 0), occurrence("eve", "e4", 0)) }()
			awaitBlocked(t, pool)
			_, err = tx.Exec(t.Context(), lock, wanted)
			require.NoError(t, err)
			require.NoError(t, tx.Commit(t.Context()))
			err = <-stored
			if attempts == 1 {
				requireCode(t, "40P01", err) // deadlock_detected
			} else {
				require.NoError(t, err)
			}
			checkAll(t, pool)
		})
	}
}

func fingerprint(key string) string { return occurrence(key, "e", 0).Fingerprint.String() }

// awaitBlocked returns when a connection waits for another's lock on the schema's
// alerts.
func awaitBlocked(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for t.Context().Err() == nil {
		n := scan[int](t, pool, `SELECT count(*) FROM pg_locks AS waiting JOIN pg_locks AS held USING (pid)
			WHERE NOT waiting.granted AND held.relation = 'auditwarden_alerts'::regclass`)
		if n > 0 {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
}

// A transaction that was left open on an alert of one organization keeps a batch from
// being stored, but only for a while, and not the alerts of the others.
func testLockHeld(t *testing.T, server string) {
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	put(t, s, occurrence("mallory", "e1", 0))
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(t.Context())
	_, err = tx.Exec(t.Context(), `SELECT 1 FROM auditwarden_alerts FOR UPDATE`)
	require.NoError(t, err)
	again, other := occurrence("mallory", "e2", 0), alertingtest.Occurrence("other", "eve", "e3", at(0))
	for name, s := range map[string]*pgalerts.Store{
		"default": s,
		"shorter": newStore(t, testservice.PostgresPool(t, testservice.WithParameter(t, pool.Config().ConnString(), "lock_timeout", "10")), nil),
	} {
		err := store(t.Context(), s, again, other)
		requireCode(t, "55P03", err, name) // lock_not_available
		require.NotErrorIs(t, err, monitor.ErrPermanent)
	}
	assert.Equal(t, monitor.StoredNew, put(t, s, other)[0].Stored)
	require.NoError(t, tx.Rollback(t.Context()))
	assert.Equal(t, monitor.StoredRepeat, put(t, s, again)[0].Stored)
}

// Alerts of a call are written with what became of each of them in it.
func testOpenedAndWorse(t *testing.T, server string) {
	s := newStore(t, migrated(t, server), nil)
	var batch []*monitor.Occurrence
	for i := range 10 {
		batch = append(batch, occurrence(fmt.Sprint(i), "first", 0))
		if i%2 == 0 {
			worse := occurrence(fmt.Sprint(i), "worse", 1)
			worse.Finding.Severity = monitor.SeverityCritical
			batch = append(batch, worse)
		}
	}
	put(t, s, batch...)
	as := all(t, s, alerting.Query{})
	require.Len(t, as, 10)
	for _, a := range as {
		severity, version := monitor.SeverityMedium, int64(1)
		if a.Occurrences == 2 {
			severity, version = monitor.SeverityCritical, 2
		}
		assert.Equal(t, severity, a.Severity, "%d occurrences", a.Occurrences)
		assert.Equal(t, version, a.Version, "%d occurrences", a.Occurrences)
		_, err := s.Change(t.Context(), a.Ref(), monitor.AlertAcknowledged, "ann", "")
		require.NoError(t, err)
	}
}

// A call takes few round trips, however large it is, and for many tenants.
func testRoundTrips(t *testing.T, server string) {
	tr := &tracer{}
	trips := 0
	tr.after = func([]string) { trips++ }
	s, pool := tracedStore(t, server, tr)
	var batch []*monitor.Occurrence
	for i := range 500 {
		batch = append(batch, alertingtest.Occurrence(fmt.Sprint("tenant", i%50), fmt.Sprint(i), "e", at(0)))
	}
	for _, want := range []int{3, 2} { // and BEGIN and COMMIT
		trips = 0
		put(t, s, batch...)
		assert.Equal(t, want, trips)
	}
	checkSums(t, pool)
}

func testPurgeInChunks(t *testing.T, server string) {
	tr := &tracer{}
	s, pool := tracedStore(t, server, tr)
	const n = 2500
	var batch []*monitor.Occurrence
	for i := range n {
		batch = append(batch, occurrence(fmt.Sprint(i), "e", 0), occurrence(fmt.Sprint(i), "f", 0))
	}
	put(t, s, batch...)
	put(t, s, alertingtest.Occurrence("other", "mallory", "e", at(0)))
	run(t, pool, `UPDATE auditwarden_alerts SET status = 'resolved', resolved_at = now(), resolved_by = 'ann'`)
	put(t, s, occurrence("open", "e", 0))
	var chunks []int
	before := n + 2
	tr.after = func(statements []string) {
		if !strings.Contains(strings.Join(statements, " "), "DELETE") {
			return
		}
		left := scan[int](t, pool, `SELECT count(*) FROM auditwarden_alerts`)
		chunks = append(chunks, before-left)
		before = left
	}
	purged, err := s.Purge(t.Context(), "acme", time.Now().Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, n, purged)
	assert.Equal(t, []int{1000, 1000, 500}, chunks)
	for _, table := range []string{"alerts", "alert_history", "alert_occurrences", "alert_outbox"} {
		assert.Equal(t, 2, scan[int](t, pool, `SELECT count(*) FROM auditwarden_`+table), "rows left in %s", table)
	}
}
