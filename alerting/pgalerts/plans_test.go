package pgalerts_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// Every page is found by the index that is there for it, and nothing is sorted.
func testPagesUseIndexes(t *testing.T, server string) {
	tr := &tracer{}
	s, pool := tracedStore(t, server, tr)
	load(t, pool, 20_000)
	want := map[string]string{
		"Open":    "auditwarden_alerts_newest_open",
		"All":     "auditwarden_alerts_newest_of_all",
		"AllOpen": "auditwarden_alerts_newest_open_of_all",
	}
	for name, q := range listings() {
		index := want[name]
		if index == "" {
			index = "auditwarden_alerts_newest"
		}
		q.Limit = 50
		for _, after := range []string{"", alerting.Cursor(&monitor.Alert{ID: loadedID(0), CreatedAt: loadedAt(10_000)})} {
			q.After = after
			tr.sent()
			all(t, s, q)
			for _, p := range explain(t, pool, tr.sent()) {
				assert.Equal(t, []string{"Limit", "Index Scan " + index}, p.nodes(), "%s, after %q", name, after)
			}
		}
	}
}

// Everything else goes by the key of an index as well, also on a server that has
// never looked at the tables since they were made.
func testWritesUseIndexes(t *testing.T, server string) {
	tr := &tracer{}
	pool := migrated(t, server)
	connections := traced(t, pool.Config().ConnString(), 1, tr)
	s := newStore(t, connections, nil)
	for _, table := range []string{"alerts", "alert_history", "alert_occurrences", "alert_outbox"} {
		run(t, pool, `ALTER TABLE auditwarden_`+table+` SET (autovacuum_enabled = false)`)
	}
	for i := range 20 { // as often as makes a server keep a plan
		put(t, s, occurrence("mallory", fmt.Sprint(i), i), occurrence("eve", fmt.Sprint(i), i))
	}
	for i := range 40 {
		var batch []*monitor.Occurrence
		for j := range 250 {
			batch = append(batch, occurrence(fmt.Sprint(i, j), "e", i))
		}
		put(t, s, batch...)
	}
	dead, err := s.ClaimNotifications(t.Context(), "pager", pager(), nil, 1000, time.Minute)
	require.NoError(t, err)
	require.Len(t, dead, 1000)
	bury(t, s, dead[:50])
	tr.sent()
	batch := []*monitor.Occurrence{occurrence("mallory", "new", 0), occurrence("trudy", "new", 0)}
	for j := range 250 {
		batch = append(batch, occurrence(fmt.Sprint(7, j), "new", 0))
	}
	ds := put(t, s, batch...)
	ref := monitor.AlertRef{Organization: "acme", ID: ds[0].AlertID}
	_, err = s.Change(t.Context(), ref, monitor.AlertResolved, "ann", "")
	require.NoError(t, err)
	_, _, err = s.Get(t.Context(), ref)
	require.NoError(t, err)
	_, err = s.Purge(t.Context(), "acme", at(0))
	require.NoError(t, err)
	_, err = s.Change(t.Context(), ref, monitor.AlertActive, "ann", "")
	require.NoError(t, err)
	_, err = s.SaveSettings(t.Context(), "acme", escalating(time.Millisecond), "ann")
	require.NoError(t, err)
	_, _, err = s.RunTimers(t.Context())
	require.NoError(t, err)
	ns, err := s.ClaimNotifications(t.Context(), "pager", pager(), nil, 100, time.Minute)
	require.NoError(t, err)
	require.Len(t, ns, 100)
	require.NoError(t, s.SettleNotifications(t.Context(), []alerting.Delivery{
		{Notification: ns[0], Outcome: alerting.OutcomeDelivered},
		{Notification: ns[2], Outcome: alerting.OutcomeRetry},
		{Notification: ns[3], Outcome: alerting.OutcomeDead},
	}))
	for _, organization := range []string{"acme", alerting.AllOrganizations} {
		_, err := s.DeadLetters(t.Context(), alerting.DeadLetterQuery{Organization: organization, Limit: 50})
		require.NoError(t, err)
		_, err = s.Redrive(t.Context(), organization, "pager")
		require.NoError(t, err)
		bury(t, s, dead[50:100])
	}
	kept := scan[[]string](t, connections, `SELECT coalesce(array_agg(statement), '{}') FROM pg_prepared_statements
		WHERE generic_plans > 0 AND statement LIKE $1`, `%auditwarden_alerts%`)
	assert.Empty(t, kept, "plans were kept that were made when there was nothing")
	checkPlans(t, pool, tr.sent(), 40)
	run(t, pool, `UPDATE auditwarden_alert_outbox SET dead = true WHERE sequence > 200`)
	run(t, pool, `ANALYZE auditwarden_alert_outbox`)
	b, err := s.Backlog(t.Context())
	require.NoError(t, err)
	require.Positive(t, b.Waiting)
	require.GreaterOrEqual(t, b.Dead, 5000)
	statements := tr.sent()
	checkPlans(t, pool, statements[:2], 2) // all that are dead are counted, one by one
}

// A server that has no statistics finds an alert by its key all the same. Each check of
// a foreign key does this, with a plan that is kept.
func testKeysUseIndexes(t *testing.T, server string) {
	pool := migrated(t, server)
	run(t, pool, `ALTER TABLE auditwarden_alerts SET (autovacuum_enabled = false)`)
	s := newStore(t, pool, nil)
	for _, alerts := range []int{0, 10, 300} {
		for i := range alerts {
			put(t, s, occurrence(fmt.Sprint(i), "e", i))
		}
		for _, p := range explain(t, pool, []statement{
			{sql: `SELECT 1 FROM ONLY auditwarden_alerts WHERE organization_id = $1 AND id = $2 FOR KEY SHARE`, args: []any{"acme", loadedID(0)}},
			{sql: `DELETE FROM auditwarden_alerts WHERE organization_id = $1 AND id = $2`, args: []any{"acme", loadedID(0)}},
		}) {
			require.Contains(t, p.nodes(), "Index Scan auditwarden_alerts_pkey", "%d alerts, %s", alerts, p.SQL)
		}
	}
}

// checkPlans checks that there are so many statements, or more, and that each goes
// by an index. Only what an index has found is sorted.
func checkPlans(t *testing.T, pool *pgxpool.Pool, statements []statement, atLeast int) {
	t.Helper()
	require.GreaterOrEqual(t, len(statements), atLeast)
	seen := map[string]int{}
	statements = slices.DeleteFunc(statements, func(s statement) bool { // what is sent for each of many alerts
		seen[s.sql]++
		return seen[s.sql] > 20
	})
	for _, root := range explain(t, pool, statements) {
		root.walk(func(p plan) {
			switch {
			case strings.HasSuffix(p.Type, "Seq Scan") && strings.HasPrefix(p.Relation, "auditwarden"),
				strings.HasPrefix(p.Type, "Hash"), p.Type == "Sort" && !strings.Contains(strings.Join(p.nodes(), " "), "CTE Scan"),
				p.Type != "Subquery Scan" && (strings.Contains(p.Filter, "fingerprint") || strings.Contains(p.Filter, "id =")):
				t.Errorf("a %s of %s%s with filter %q in the plan of%s", p.Type, p.Relation, p.Index, p.Filter, root.SQL)
			}
		})
	}
}

// bury makes notifications that were claimed dead letters.
func bury(t *testing.T, s driver.Store, ns []*alerting.Notification) {
	t.Helper()
	var ds []alerting.Delivery
	for _, n := range ns {
		ds = append(ds, alerting.Delivery{Notification: n, Outcome: alerting.OutcomeDead})
	}
	require.NoError(t, s.SettleNotifications(t.Context(), ds))
}

// A plan is a node of what EXPLAIN returns.
type plan struct {
	SQL      string `json:"-"`
	Type     string `json:"Node Type"`
	Index    string `json:"Index Name"`
	Relation string `json:"Relation Name"`
	Filter   string
	Plans    []plan
}

func (p plan) walk(f func(plan)) {
	f(p)
	for _, below := range p.Plans {
		below.walk(f)
	}
}

func (p plan) nodes() (nodes []string) {
	p.walk(func(p plan) { nodes = append(nodes, strings.TrimSpace(p.Type+" "+p.Index)) })
	return nodes
}

// explain returns the plans that the server makes for the statements about tables.
// The others are executed, in one transaction that is rolled back.
func explain(t *testing.T, pool *pgxpool.Pool, statements []statement) []plan {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(t.Context())
	var plans []plan
	for _, s := range statements {
		if !strings.Contains(s.sql, "auditwarden") {
			_, err := tx.Exec(t.Context(), s.sql, s.args...)
			require.NoError(t, err)
			continue
		}
		var text []byte
		require.NoError(t, tx.QueryRow(t.Context(), `EXPLAIN (FORMAT JSON) `+s.sql, s.args...).Scan(&text), s.sql)
		var explained []struct{ Plan plan }
		require.NoError(t, json.Unmarshal(text, &explained))
		explained[0].Plan.SQL = s.sql
		plans = append(plans, explained[0].Plan)
	}
	return plans
}
