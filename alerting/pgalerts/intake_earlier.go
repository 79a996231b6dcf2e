package pgalerts

import (
	"bytes"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// damps reports whether readEarlier is needed.
func (t *tenant) damps() bool { return t.policy.Damps() }

// readEarlier queues a query for the closed alerts of the fingerprints that have no open
// one.
func (t *tenant) readEarlier(b *pgx.Batch) {
	t.earlier = map[monitor.Fingerprint][]driver.Earlier{}
	opening := slices.CompactFunc(column(t.occurrences, fingerprintOf), bytes.Equal)
	opening = slices.DeleteFunc(opening, func(f []byte) bool { return t.open[monitor.Fingerprint(f)] != nil })
	if !t.damps() || len(opening) == 0 {
		return
	}
	b.Queue(readEarlier, t.organization, opening, driver.MaxEarlier).Query(func(rows pgx.Rows) error {
		var fingerprint []byte
		var e driver.Earlier
		_, err := pgx.ForEachRow(rows, []any{&fingerprint, &e.OpenedAt, &e.Severity, &e.Notified}, func() error {
			of := monitor.Fingerprint(fingerprint)
			t.earlier[of] = append(t.earlier[of], driver.Earlier{OpenedAt: e.OpenedAt.In(time.UTC), Severity: e.Severity, Notified: e.Notified})
			return nil
		})
		return err
	})
}

const readEarlier = `
SELECT u.fingerprint, e.created_at, e.severity, e.notified_at IS NOT NULL
FROM unnest($2::bytea[]) AS u (fingerprint)
CROSS JOIN LATERAL (
	SELECT created_at, severity, notified_at, resolved_at FROM auditwarden_alerts
	WHERE organization_id = $1 AND fingerprint = u.fingerprint AND octet_length(fingerprint) > 0 AND resolved_at IS NOT NULL
	ORDER BY resolved_at DESC
	LIMIT $3
) AS e
ORDER BY e.resolved_at DESC`
