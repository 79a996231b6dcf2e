package pgalerts

import (
	"bytes"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// read queues statements that lock the open alerts of an organization's occurrences
// and read what the decisions depend on.
func (t *tenant) read(b *pgx.Batch) {
	readPolicy(b, t.organization, func(p *driver.Policy, err error) error {
		t.policy, t.misled = p, err != nil // store the alerts even if the settings are broken
		return nil
	})

	t.open = map[monitor.Fingerprint]*openAlert{}
	fingerprints := slices.CompactFunc(column(t.occurrences, fingerprintOf), bytes.Equal)
	b.Queue(lockOpen, t.organization, fingerprints).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanOpenAlert)
		for _, alert := range found {
			t.open[alert.Fingerprint] = alert
		}
		return err
	})

	t.known = map[int]string{}
	queryKnown(b, t.organization, t.occurrences, false, func(i int, id string) error {
		t.known[i] = id
		return nil
	})
}

const lockOpen = `
SELECT a.fingerprint, a.id, a.severity, a.status, a.occurrences, a.first_seen, a.last_seen, a.notified_at, a.version,
	a.active_version, a.active_since, a.escalation_step, a.timer_due
FROM unnest($2::bytea[]) AS u (fingerprint)
CROSS JOIN LATERAL ( -- locks the alerts in order
	SELECT fingerprint, id, severity, status, occurrences, first_seen, last_seen, notified_at, version,
		active_version, active_since, escalation_step, timer_due
	FROM auditwarden_alerts
	WHERE organization_id = $1 AND fingerprint = u.fingerprint AND resolved_at IS NULL
	FOR NO KEY UPDATE
) AS a`

func scanOpenAlert(row pgx.CollectableRow) (*openAlert, error) {
	alert := &openAlert{Alert: &monitor.Alert{}, keys: map[monitor.EventKey]bool{}}
	var fingerprint []byte
	err := row.Scan(&fingerprint, &alert.ID, &alert.Severity, &alert.Status, &alert.Occurrences, &alert.FirstSeen, &alert.LastSeen,
		(*zeronull.Timestamptz)(&alert.notified), &alert.Version,
		&alert.timer.Version, &alert.timer.Since, &alert.timer.Step, (*zeronull.Timestamptz)(&alert.timer.Due))
	copy(alert.Fingerprint[:], fingerprint)
	return alert, err
}

// queryKnown queues a query for the occurrences that the last alert of their
// fingerprint has already counted. If closed is set, it only considers closed alerts;
// otherwise an open alert is the last one.
func queryKnown(b *pgx.Batch, organization string, os []occurrence, closed bool, f func(i int, id string) error) {
	b.Queue(readKnown, organization, column(os, fingerprintOf), column(os, eventKeyOf), closed).Query(func(rows pgx.Rows) error {
		var i int
		var id string
		_, err := pgx.ForEachRow(rows, []any{&i, &id}, func() error { return f(i-1, id) })
		return err
	})
}

const readKnown = `
SELECT u.place, last.id
FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS u (fingerprint, event_key, place)
CROSS JOIN LATERAL (
	SELECT a.id
	FROM auditwarden_alerts AS a
	WHERE a.organization_id = $1 AND a.fingerprint = u.fingerprint AND (a.resolved_at IS NOT NULL OR NOT $4)
	ORDER BY a.resolved_at DESC NULLS FIRST
	LIMIT 1
) AS last
CROSS JOIN LATERAL (
	SELECT 1
	FROM auditwarden_alert_occurrences AS o
	WHERE o.organization_id = $1 AND o.alert_id = last.id AND o.event_key = u.event_key
	LIMIT 1 -- also keeps the planner from other orders when its statistics are old
) AS counted`

func fingerprintOf(o occurrence) []byte { return o.Fingerprint[:] }
func eventKeyOf(o occurrence) []byte    { return o.EventKey[:] }
