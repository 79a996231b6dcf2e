package pgalerts_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

func BenchmarkStore(b *testing.B) {
	server := testservice.PostgresURL(b)
	alertingtest.BenchmarkStore(b, func(b *testing.B) driver.Store { return newStore(b, migrated(b, server), nil) })
}

// BenchmarkInsert stores alerts in batches of 256, each new, with history,
// occurrences and outbox, and beside it copies the same rows into the tables of
// another schema with COPY, which is as fast as the server is. The server writes to
// its disk at every commit, as servers do that are not for tests.
func BenchmarkInsert(b *testing.B) {
	const size = 256
	server := testservice.Postgres(b, "-c", "fsync=on", "-c", "full_page_writes=on").URL()
	from, to := migrated(b, server), migrated(b, server)
	s := newStore(b, from, nil)
	var batch []*monitor.Occurrence
	for range size {
		batch = append(batch, alertingtest.Occurrence("acme", "mallory", "e", at(0)))
	}
	var storing, copying time.Duration
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		for _, a := range batch {
			n++
			binary.BigEndian.PutUint64(a.Fingerprint[:], n)
		}
		began := time.Now()
		put(b, s, batch...)
		storing += time.Since(began)
		copying += copyNewest(b, from, to)
	}
	require.Equal(b, n, scan[uint64](b, to, `SELECT count(*) FROM auditwarden_alert_outbox`))
	b.ReportMetric(float64(n)/storing.Seconds(), "alerts/s")
	b.ReportMetric(float64(n)/copying.Seconds(), "COPY-alerts/s")
	b.ReportMetric(storing.Seconds()/copying.Seconds(), "ratio")
}

// copyNewest copies the rows of the alerts that were stored last, and returns how
// long writing them took.
func copyNewest(b *testing.B, from, to *pgxpool.Pool) time.Duration {
	b.Helper()
	const newest = `(SELECT id FROM auditwarden_alerts WHERE organization_id = 'acme' AND created_at = (
		SELECT max(created_at) FROM auditwarden_alerts WHERE organization_id = 'acme'))`
	tables := []struct{ name, key string }{
		{"auditwarden_alerts", "id"}, {"auditwarden_alert_history", "alert_id"},
		{"auditwarden_alert_occurrences", "alert_id"}, {"auditwarden_alert_outbox", "alert_id"},
	}
	rows := make([]bytes.Buffer, len(tables))
	for i, t := range tables {
		err := from.AcquireFunc(b.Context(), func(c *pgxpool.Conn) error {
			sql := `COPY (SELECT t.* FROM ` + t.name + ` AS t WHERE organization_id = 'acme' AND ` + //nolint:unqueryvet // what COPY reads
				t.key + ` IN ` + newest + `) TO STDOUT BINARY`
			_, err := c.Conn().PgConn().CopyTo(b.Context(), &rows[i], sql)
			return err
		})
		require.NoError(b, err)
	}
	began := time.Now()
	err := pgx.BeginFunc(b.Context(), to, func(tx pgx.Tx) error {
		for i, t := range tables {
			if _, err := tx.Conn().PgConn().CopyFrom(b.Context(), &rows[i], `COPY `+t.name+` FROM STDIN BINARY`); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(b, err)
	return time.Since(began)
}

// BenchmarkDispatch claims and delivers 100 notifications at a time, of different
// alerts, while up to 50,000 wait.
func BenchmarkDispatch(b *testing.B) {
	pool := migrated(b, testservice.PostgresURL(b))
	load(b, pool, 50_000)
	fill := func() {
		run(b, pool, `INSERT INTO auditwarden_alert_outbox
			(organization_id, alert_id, route, idempotency_key, reason, created_at, due_at)
			SELECT organization_id, id, 'pager', id::text, 'opened', created_at, created_at FROM auditwarden_alerts`)
		run(b, pool, `VACUUM ANALYZE auditwarden_alert_outbox`)
	}
	fill()
	s := newStore(b, pool, nil)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		ns, err := s.ClaimNotifications(b.Context(), "pager", pager(), nil, 100, time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		if len(ns) == 0 {
			b.StopTimer()
			fill()
			b.StartTimer()
		}
		ds := make([]alerting.Delivery, len(ns))
		for i := range ns {
			ds[i].Notification = ns[i]
		}
		if err := s.SettleNotifications(b.Context(), ds); err != nil {
			b.Fatal(err)
		}
		n += len(ns)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "notifications/s")
}

// BenchmarkPages reads pages of 50 among as many alerts as
// AUDITWARDEN_BENCH_ALERTS says. The bar is for 1,000,000, which take a minute to
// load; the default is 50,000.
func BenchmarkPages(b *testing.B) {
	n := 50_000
	if text := os.Getenv("AUDITWARDEN_BENCH_ALERTS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	pool := migrated(b, testservice.PostgresURL(b))
	load(b, pool, n)
	s := newStore(b, pool, nil)
	queries := listings()
	for _, listing := range []struct {
		name  string
		every int // of how many that were loaded one is listed
	}{{"Newest", 2}, {"Open", 100}, {"All", 1}, {"AllOpen", 50}} {
		for place, after := range map[string]func(i int) int{
			"First":  func(int) int { return n },
			"Middle": func(i int) int { return n/2 + i*7919%(n/4) },
			"Last":   func(int) int { return 51 * listing.every },
		} {
			b.Run(listing.name+"/"+place, func(b *testing.B) {
				q := queries[listing.name]
				q.Limit = 50
				var times []time.Duration
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					q.After = alerting.Cursor(&monitor.Alert{ID: loadedID(0), CreatedAt: loadedAt(after(i))})
					began := time.Now()
					page := all(b, s, q)
					times = append(times, time.Since(began))
					if len(page) != q.Limit {
						b.Fatalf("%d alerts on a page", len(page))
					}
				}
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
			})
		}
	}
}

// listings are the queries whose pages an index finds.
func listings() map[string]alerting.Query {
	return map[string]alerting.Query{
		"Newest": {Organization: "acme"},
		"Open": {
			Organization: "acme", Statuses: []monitor.AlertStatus{monitor.AlertActive, monitor.AlertAcknowledged},
		},
		"Closed":   {Organization: "acme", Statuses: []monitor.AlertStatus{monitor.AlertResolved, monitor.AlertDismissed}},
		"Severity": {Organization: "acme", Severities: []monitor.Severity{monitor.SeverityCritical}},
		"Type":     {Organization: "acme", Types: []monitor.AlertType{monitor.AlertSecurity}},
		"Source":   {Organization: "acme", Sources: []string{"audit-monitoring"}},
		"Rule":     {Organization: "acme", Rules: []string{"rule3", "rule4"}},
		"Until":    {Organization: "acme", Since: loadedAt(0), Until: loadedAt(500_000)},
		"All":      {Organization: alerting.AllOrganizations},
		"AllOpen":  {Organization: alerting.AllOrganizations, Statuses: []monitor.AlertStatus{monitor.AlertActive}},
	}
}

func loadedAt(n int) time.Time { return at(0).Add(time.Duration(n) * time.Second) }
func loadedID(n int) string    { return fmt.Sprintf("%08x-0000-7000-8000-000000000000", n) }

// load puts alerts into the database, number i at loadedAt(i). Two of a hundred are
// open, every other belongs to one of ten other tenants.
func load(tb testing.TB, pool *pgxpool.Pool, n int) {
	tb.Helper()
	columns := []string{
		"organization_id", "id", "fingerprint", "severity", "type", "title", "description", "source", "status", "correlation_id",
		"tags", "metadata", "rule", "finding", "event_key", "occurrences", "first_seen", "last_seen", "created_at", "updated_at",
		"resolved_at", "resolved_by", "resolution_notes", "version", "active_version", "active_since",
	}
	a := alertingtest.Occurrence("acme", "mallory", "e", at(0)).Alert()
	key := monitor.EventKeyOf("acme", "e")
	rows := pgx.CopyFromSlice(n, func(i int) ([]any, error) {
		organization, status, resolvedAt, by := "acme", monitor.AlertActive, any(nil), any(nil)
		if i%2 == 1 {
			organization = fmt.Sprint("tenant", i%20)
		}
		if i%100 > 1 {
			status, resolvedAt, by = monitor.AlertResolved, loadedAt(i+3600), "ann"
		}
		fingerprint := sha256.Sum256(fmt.Append(nil, i))
		return []any{
			organization, loadedID(i), fingerprint[:], i % 5, a.Type, a.Title, a.Description, a.Source, status, "",
			a.Tags, a.Metadata, fmt.Sprint("rule", i%7), a.Finding, key[:], 1, a.FirstSeen, a.LastSeen, loadedAt(i), loadedAt(i),
			resolvedAt, by, by, 1, 1, loadedAt(i),
		}, nil
	})
	_, err := pool.CopyFrom(tb.Context(), pgx.Identifier{"auditwarden_alerts"}, columns, rows)
	require.NoError(tb, err)
	run(tb, pool, `VACUUM ANALYZE auditwarden_alerts`)
}
