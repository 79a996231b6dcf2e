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

	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// open opens alerts of an organization by one statement.
func open(t testing.TB, pool *pgxpool.Pool, organization string, n int) {
	t.Helper()
	insert := `INSERT INTO auditwarden_alerts (organization_id, id, fingerprint, severity, type, title, description, source, status,
		correlation_id, tags, metadata, rule, finding, event_key, occurrences, first_seen, last_seen, created_at, updated_at, version,
		active_version, active_since, notified_at)
		SELECT $1, gen_random_uuid(), sha256(($1 || i)::bytea), 2, '', '', '', '', 'active',
		'', '[]', '{}', '', '{}', '\x00000000000000000000000000000001', 1, past, now(), past, now(), 1, 1, past, past
		FROM generate_series(1, $2) AS i, (SELECT now() - interval '1 day' AS past) AS p`
	run(t, pool, insert, organization, n)
	run(t, pool, `ANALYZE auditwarden_alerts`)
}

// While an organization with many open alerts saves settings, everybody stores
// alerts, and the alerts are not touched.
func testSaveSettingsAlone(t *testing.T, server string) {
	tr := &tracer{}
	s, pool := tracedStore(t, server, tr)
	other := newStore(t, pool, nil)
	open(t, pool, "acme", 15_000)
	var batch []*monitor.Occurrence
	for i := range 200 {
		batch = append(batch, alertingtest.Occurrence(fmt.Sprint("tenant", i), "mallory", "e1", at(0)))
	}
	during := 0
	tr.after = func([]string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		during++
		o := alertingtest.Occurrence("acme", "mallory", fmt.Sprint(during), at(0))
		require.NoError(t, store(ctx, other, append(batch, o)...), "while settings are saved")
		_, err := other.Settings(ctx, "acme")
		require.NoError(t, err)
	}
	tr.sent()
	_, err := s.SaveSettings(t.Context(), "acme", escalating(time.Hour), "ann")
	require.NoError(t, err)
	assert.Equal(t, 2, during, "round trips")
	for _, statement := range tr.sent() {
		assert.NotContains(t, statement.sql, "auditwarden_alerts ")
	}
}

const noTimer = `SELECT count(*) FROM auditwarden_alerts WHERE organization_id = 'acme' AND timer_due IS NULL`

// The timers of all open alerts are set in small steps, also those of alerts that
// somebody else works on.
func testSweep(t *testing.T, server string) {
	tr := &tracer{}
	s, pool := tracedStore(t, server, tr)
	const alerts = 1200
	open(t, pool, "acme", alerts)
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(t.Context())
	locked := scan[string](t, pool, `SELECT id FROM auditwarden_alerts LIMIT 1`)
	_, err = tx.Exec(t.Context(), `SELECT 1 FROM auditwarden_alerts WHERE id = $1 FOR UPDATE`, locked)
	require.NoError(t, err)
	_, err = s.SaveSettings(t.Context(), "acme", escalating(48*time.Hour), "ann")
	require.NoError(t, err)
	tr.sent()
	_, _, err = s.RunTimers(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, scan[int](t, pool, noTimer), "timers that are not set")
	steps := 0
	for _, statement := range tr.sent() {
		if strings.Contains(statement.sql, "SET timer_due") {
			steps++
			assert.LessOrEqual(t, len(statement.args[1].([]string)), 500)
		}
	}
	assert.Equal(t, 3, steps, "steps")
	require.NoError(t, tx.Rollback(t.Context()))
	sweepAgain(t, s, pool)
	assert.Zero(t, scan[int](t, pool, noTimer))
	assert.Zero(t, scan[int](t, pool, `SELECT count(*) FROM auditwarden_alerts WHERE timer_due <> created_at + interval '48 h'`))
	// Settings that change nothing about timers begin no sweep.
	saved, err := s.Settings(t.Context(), "acme")
	require.NoError(t, err)
	saved.Cooldown = time.Hour
	_, err = s.SaveSettings(t.Context(), "acme", saved, "ann")
	require.NoError(t, err)
	assert.Zero(t, scan[int](t, pool, `SELECT count(sweep_due) FROM auditwarden_alert_settings`))
}

// sweepAgain runs timers until no sweep is left, without the pauses.
func sweepAgain(t *testing.T, s driver.Store, pool *pgxpool.Pool) {
	t.Helper()
	for t.Context().Err() == nil && scan[int](t, pool, `SELECT count(sweep_due) FROM auditwarden_alert_settings`) > 0 {
		run(t, pool, `UPDATE auditwarden_alert_settings SET sweep_due = now() WHERE sweep_due IS NOT NULL`)
		_, _, err := s.RunTimers(t.Context())
		require.NoError(t, err)
	}
}

// An alert that is stored by settings that were read before others were saved, after
// all timers have been set by those.
func testSweepOvertaken(t *testing.T, server string) {
	tr := &tracer{}
	s, pool := tracedStore(t, server, tr)
	other := newStore(t, pool, nil)
	var once sync.Once
	tr.after = func(statements []string) {
		if !strings.Contains(strings.Join(statements, " "), "FOR NO KEY UPDATE") {
			return
		}
		once.Do(func() {
			_, err := other.SaveSettings(t.Context(), "acme", escalating(time.Hour), "ann")
			require.NoError(t, err)
			for range 3 {
				_, _, err = other.RunTimers(t.Context())
				require.NoError(t, err)
			}
		})
	}
	put(t, s, occurrence("mallory", "e1", 0))
	assert.Equal(t, 1, scan[int](t, pool, noTimer), "the alert knows the old settings")
	sweepAgain(t, other, pool)
	assert.Zero(t, scan[int](t, pool, noTimer))
}

// Notifications that nobody claims are dropped after a while, and counted.
func testUnrouted(t *testing.T, server string) {
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	put(t, s, occurrence("mallory", "e1", 0), alertingtest.Occurrence("other", "eve", "e2", at(0)))
	const old = 2500
	run(t, pool, `INSERT INTO auditwarden_alert_outbox (organization_id, alert_id, route, idempotency_key, reason, created_at, due_at)
		SELECT organization_id, alert_id, '', i::text, reason, now() - $2::interval, now() - $2::interval
		FROM auditwarden_alert_outbox CROSS JOIN generate_series(1, $1) AS i WHERE organization_id = 'acme'`, old, driver.UnroutedExpiry)
	_, _, err := s.RunTimers(t.Context())
	require.NoError(t, err)
	b, err := s.Backlog(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, old, b.Dropped[driver.DroppedTooOld])
	assert.Equal(t, 2, b.Waiting)
}
