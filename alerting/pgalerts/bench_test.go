package pgalerts_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

func BenchmarkStore(b *testing.B) {
	server := testservice.PostgresURL(b)
	alertingtest.BenchmarkStore(b, func(b *testing.B) alerting.Store { return newStore(b, migrated(b, server), nil) })
}

// BenchmarkPages reads pages of 50 from everywhere among a million alerts.
func BenchmarkPages(b *testing.B) {
	const n = 1_000_000
	pool := migrated(b, testservice.PostgresURL(b))
	load(b, pool, n)
	s := newStore(b, pool, nil)
	for name, q := range listings() {
		b.Run(name, func(b *testing.B) {
			q.Limit = 50
			var times []time.Duration
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				q.After = alerting.Cursor(&monitor.Alert{ID: loadedID(0), CreatedAt: loadedAt(n - i*7919%(n/2))})
				began := time.Now()
				if page := all(b, s, q); len(page) != q.Limit {
					b.Fatalf("%d alerts on a page", len(page))
				}
				times = append(times, time.Since(began))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
		})
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
		"resolved_at", "resolved_by", "resolution_notes", "version",
	}
	a := alertingtest.Occurrence("acme", "mallory", "e", at(0)).Detach()
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
			a.Tags, a.Metadata, fmt.Sprint("rule", i%7), a.Finding, a.EventKey[:], 1, a.FirstSeen, a.LastSeen, loadedAt(i), loadedAt(i),
			resolvedAt, by, by, 1,
		}, nil
	})
	if _, err := pool.CopyFrom(tb.Context(), pgx.Identifier{"auditwarden_alerts"}, columns, rows); err != nil {
		tb.Fatal(err)
	}
	run(tb, pool, `VACUUM ANALYZE auditwarden_alerts`)
}
