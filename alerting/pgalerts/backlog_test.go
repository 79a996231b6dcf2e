package pgalerts_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting/alertingtest"
)

// However many notifications one organization has, routing and claiming those of all
// reads few rows.
func testBacklog(t *testing.T, server string) {
	tr := &tracer{}
	s, pool := tracedStore(t, server, tr)
	open(t, pool, "flood", 50_000)
	for i := range 5 {
		put(t, s, alertingtest.Occurrence(fmt.Sprint("tenant", i), "mallory", "e", at(0)))
	}
	for _, route := range []string{"", "pager"} {
		run(t, pool, `DELETE FROM auditwarden_alert_outbox WHERE organization_id = 'flood'`)
		run(t, pool, `INSERT INTO auditwarden_alert_outbox (organization_id, alert_id, route, idempotency_key, reason, created_at, due_at)
			SELECT organization_id, id, $1, id::text, 'opened', now() - interval '2 hours', now() - interval '1 hour' * (1 + random())
			FROM auditwarden_alerts WHERE organization_id = 'flood'`, route)
		run(t, pool, `VACUUM ANALYZE auditwarden_alert_outbox`)
		tr.sent()
		ns, err := s.ClaimNotifications(t.Context(), "pager", pager(), []string{"tenant4"}, 10, time.Millisecond)
		require.NoError(t, err)
		organizations := map[string]int{}
		for _, n := range ns {
			organizations[n.Alert.OrganizationID]++
		}
		assert.Equal(t, map[string]int{"flood": 6, "tenant0": 1, "tenant1": 1, "tenant2": 1, "tenant3": 1}, organizations, "route %q", route)
		most := 300 // rows
		if route == "" {
			most = 10_000 // of 1,000 that are routed
		}
		for _, st := range tr.sent() {
			if strings.Contains(st.sql, "auditwarden_alert_outbox") {
				assert.Less(t, rowsRead(t, pool, st), most, st.sql)
			}
		}
		run(t, pool, `UPDATE auditwarden_alert_outbox SET due_at = now()`)
	}
}

// An incident that has come and gone thousands of times is as cheap as any other.
func testFlapping(t *testing.T, server string) {
	tr := &tracer{}
	s, pool := tracedStore(t, server, tr)
	const alerts = 5000
	open(t, pool, "acme", alerts)
	o := occurrence("mallory", "e1", 0)
	run(t, pool, `UPDATE auditwarden_alerts SET fingerprint = $1, status = 'resolved', resolved_at = now() - interval '1 minute', resolved_by = 'ann'`,
		o.Fingerprint[:])
	run(t, pool, `INSERT INTO auditwarden_alert_occurrences (organization_id, alert_id, event_key, occurrences, last_seen)
		SELECT organization_id, id, substr(sha256(id::text::bytea), 1, 16), 1, now() FROM auditwarden_alerts`)
	run(t, pool, `VACUUM ANALYZE auditwarden_alerts`)
	tr.sent()
	put(t, s, o)
	for _, st := range tr.sent() {
		if strings.Contains(st.sql, "known") {
			assert.Less(t, rowsRead(t, pool, st), 100, st.sql)
		}
	}
}

// rowsRead executes a statement in a transaction that is rolled back, and returns how
// many rows it reads from tables and indexes.
func rowsRead(t *testing.T, pool *pgxpool.Pool, s statement) (n int) {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(t.Context())
	for _, setting := range []string{"enable_hashjoin", "enable_mergejoin", "enable_sort", "jit"} { // as stores do
		_, err := tx.Exec(t.Context(), `SELECT set_config($1, 'off', true)`, setting)
		require.NoError(t, err)
	}
	var text []byte
	args := append([]any{pgx.QueryExecModeExec}, s.args...)
	require.NoError(t, tx.QueryRow(t.Context(), `EXPLAIN (ANALYZE, FORMAT JSON) `+s.sql, args...).Scan(&text), s.sql)
	type node struct {
		Type    string  `json:"Node Type"`
		Rows    float64 `json:"Actual Rows"`
		Removed float64 `json:"Rows Removed by Filter"`
		Loops   float64 `json:"Actual Loops"`
		Plans   []node
	}
	var explained []struct{ Plan node }
	require.NoError(t, json.Unmarshal(text, &explained))
	var count func(node)
	count = func(p node) {
		if strings.Contains(p.Type, "Scan") && !strings.HasPrefix(p.Type, "Subquery") && !strings.HasPrefix(p.Type, "CTE") {
			n += int((p.Rows + p.Removed) * p.Loops)
		}
		for _, below := range p.Plans {
			count(below)
		}
	}
	count(explained[0].Plan)
	return n
}
