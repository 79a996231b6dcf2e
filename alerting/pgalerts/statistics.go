package pgalerts

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// Statistics implements [driver.Store]. The server reads all alerts of the
// organization and returns one row for each combination of values.
func (s *Store) Statistics(ctx context.Context, q alerting.StatisticsQuery) (*alerting.Statistics, error) {
	var stats *alerting.Statistics
	err := checkOrganization(q.Organization)
	if err == nil {
		err = s.read(ctx, q.Organization, func(b *pgx.Batch) {
			stats = driver.NewStatistics(q)
			queryTotals(b, q, stats)
			if len(stats.Trends) > 0 {
				queryTrends(b, q, `created_at`, func(period int, _ monitor.AlertStatus, n int) {
					stats.Trends[period].Created += n
				})
				queryTrends(b, q, `resolved_at`, func(period int, status monitor.AlertStatus, n int) {
					if status == monitor.AlertResolved {
						stats.Trends[period].Resolved += n
					} else {
						stats.Trends[period].Dismissed += n
					}
				})
			}
		})
	}
	return stats, err
}

// queryTotals queues a query for all counts except the trends.
func queryTotals(b *pgx.Batch, q alerting.StatisticsQuery, stats *alerting.Statistics) {
	f := scopedTo(q.Organization)
	sql := `SELECT status, severity, type, source, rule, count(*) FROM auditwarden_alerts` + f.where() + ` GROUP BY 1, 2, 3, 4, 5`
	b.Queue(sql, f.args...).Query(func(rows pgx.Rows) error {
		var a monitor.Alert
		var n int
		_, err := pgx.ForEachRow(rows, []any{&a.Status, &a.Severity, &a.Type, &a.Source, &a.Finding.Rule, &n}, func() error {
			driver.CountAlerts(stats, &a, n)
			return nil
		})
		return err
	})
}

// queryTrends queues a query for the number of alerts by period and status. A column
// has the time that decides the period.
func queryTrends(
	b *pgx.Batch, q alerting.StatisticsQuery, column string, add func(period int, status monitor.AlertStatus, n int),
) {
	f := scopedTo(q.Organization)
	f.add(column+` >= #`, moment(q.Since))
	f.add(column+` < #`, moment(q.Until))
	// PostgreSQL's numbers can represent nanoseconds, which its times cannot.
	start := q.Since.Truncate(time.Microsecond)
	period := f.expression(`div(extract(epoch FROM `+column+` - #::timestamptz) * 1000000000 - #::bigint, #::bigint)::bigint`,
		start, q.Since.Sub(start).Nanoseconds(), q.Period.Nanoseconds())
	sql := `SELECT ` + period + `, status, count(*) FROM auditwarden_alerts` + f.where() + ` GROUP BY 1, 2`
	b.Queue(sql, f.args...).Query(func(rows pgx.Rows) error {
		var period, n int
		var status monitor.AlertStatus
		_, err := pgx.ForEachRow(rows, []any{&period, &status, &n}, func() error {
			add(period, status, n)
			return nil
		})
		return err
	})
}
