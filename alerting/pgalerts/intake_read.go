package pgalerts

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
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
	queryKnown(b, t.organization, t.occurrences, func(i int, id string) error {
		t.known[i] = id
		return nil
	})
}

const lockOpen = `
SELECT a.fingerprint, a.id, a.severity, a.status, a.occurrences, a.first_seen, a.last_seen, a.notified_at, a.version,
	a.active_version, a.active_since, a.escalation_step, a.timer_due, a.evidence_events, a.evidence_bytes
FROM unnest($2::bytea[]) AS u (fingerprint)
CROSS JOIN LATERAL ( -- locks the alerts in order
	SELECT fingerprint, id, severity, status, occurrences, first_seen, last_seen, notified_at, version,
		active_version, active_since, escalation_step, timer_due, evidence_events, evidence_bytes
	FROM auditwarden_alerts
	WHERE organization_id = $1 AND fingerprint = u.fingerprint AND resolved_at IS NULL
	FOR NO KEY UPDATE
) AS a`

func scanOpenAlert(row pgx.CollectableRow) (*openAlert, error) {
	alert := &openAlert{Alert: &monitor.Alert{}, keys: map[monitor.EventKey]bool{}}
	var fingerprint []byte
	err := row.Scan(&fingerprint, &alert.ID, &alert.Severity, &alert.Status, &alert.Occurrences, &alert.FirstSeen, &alert.LastSeen,
		(*zeronull.Timestamptz)(&alert.timer.Notified), &alert.Version,
		&alert.timer.Version, &alert.timer.Since, &alert.timer.Step, (*zeronull.Timestamptz)(&alert.timer.Due),
		&alert.events, &alert.eventBytes)
	copy(alert.Fingerprint[:], fingerprint)
	return alert, err
}

// queryKnown queues a query for the occurrences that an alert of their fingerprint has
// counted which is open or was closed within [driver.RedeliveryHorizon].
func queryKnown(b *pgx.Batch, organization string, os []occurrence, f func(i int, id string) error) {
	b.Queue(readKnown, organization, column(os, fingerprintOf), column(os, eventKeyOf), column(os, incidentEvent),
		driver.RedeliveryHorizon).Query(func(rows pgx.Rows) error {
		var i int
		var id string
		_, err := pgx.ForEachRow(rows, []any{&i, &id}, func() error { return f(i-1, id) })
		return err
	})
}

// However many alerts a fingerprint has had, and however many have counted the event,
// an index finds the few that are both. Rows of earlier releases, which it does not
// have, are looked for in the last alert, as these releases did.
const readKnown = `
SELECT u.place, known.id
FROM unnest($2::bytea[], $3::bytea[], $4::bigint[]) WITH ORDINALITY AS u (fingerprint, event_key, incident_event, place)
CROSS JOIN LATERAL (
	(
		SELECT a.id
		FROM (
			SELECT organization_id, alert_id, event_key FROM auditwarden_alert_occurrences
			WHERE incident_event = u.incident_event
			OFFSET 0 -- here and below, keeps the planner from other indexes when its statistics are old
		) AS o
		CROSS JOIN LATERAL (
			SELECT id, fingerprint, resolved_at FROM auditwarden_alerts
			WHERE organization_id = $1 AND id = o.alert_id
			OFFSET 0
		) AS a
		WHERE o.organization_id = $1 AND o.event_key = u.event_key AND a.fingerprint = u.fingerprint
			AND (a.resolved_at IS NULL OR a.resolved_at > clock_timestamp() - $5::interval)
	)
	UNION ALL
	(
		SELECT last.id
		FROM (
			SELECT id FROM auditwarden_alerts
			WHERE organization_id = $1 AND fingerprint = u.fingerprint AND octet_length(fingerprint) > 0
			ORDER BY resolved_at DESC NULLS FIRST
			LIMIT 1
		) AS last
		CROSS JOIN LATERAL (
			SELECT 1 FROM auditwarden_alert_occurrences
			WHERE organization_id = $1 AND alert_id = last.id AND event_key = u.event_key AND incident_event IS NULL
			LIMIT 1
		) AS counted
	)
	LIMIT 1
) AS known`

func fingerprintOf(o occurrence) []byte { return o.Fingerprint[:] }
func eventKeyOf(o occurrence) []byte    { return o.EventKey[:] }

// incidentEvent returns the hash by which an occurrence that was counted before is
// found.
func incidentEvent(o occurrence) int64 {
	h := sha256.Sum256(slices.Concat(o.Fingerprint[:], o.EventKey[:]))
	return int64(binary.BigEndian.Uint64(h[:]))
}
