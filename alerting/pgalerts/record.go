package pgalerts

import (
	"bytes"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/alerting"
)

// writeOpened inserts the new alerts. It is [errRaced] if somebody else opened
// one first, even if that is closed again.
func (t *tenant) writeOpened(b *pgx.Batch) {
	if len(t.opened) == 0 {
		return
	}
	as := t.opened
	b.Queue(insertAlerts, t.organization, as[0].Status, as[0].CreatedAt,
		column(as, (*incident).id),
		column(as, func(a *incident) []byte { return a.Fingerprint[:] }),
		column(as, (*incident).rank),
		column(as, func(a *incident) string { return clean(string(a.Type)) }),
		column(as, func(a *incident) string { return clean(a.Title) }),
		column(as, func(a *incident) string { return clean(a.Description) }),
		column(as, func(a *incident) string { return clean(a.Source) }),
		column(as, func(a *incident) string { return clean(a.CorrelationID) }),
		column(as, func(a *incident) []byte { return orNull(a.TraceID[:]) }),
		column(as, func(a *incident) []byte { return orNull(a.SpanID[:]) }),
		column(as, func(a *incident) string { return a.tags }),
		column(as, func(a *incident) string { return a.metadata }),
		column(as, func(a *incident) string { return clean(a.Finding.Rule) }),
		column(as, func(a *incident) string { return a.finding }),
		column(as, func(a *incident) []byte { return a.openedBy[:] }),
		column(as, (*incident).count),
		column(as, (*incident).first),
		column(as, (*incident).last),
		column(as, (*incident).due),
		column(as, (*incident).version),
		column(as, (*incident).timerDue),
	).Exec(func(inserted pgconn.CommandTag) error {
		if inserted.RowsAffected() != int64(len(as)) {
			return errRaced
		}
		return nil
	})
	var first []occurrence
	for _, e := range t.counted {
		if e.alert.opening.Version != 0 {
			first = append(first, e.occurrence)
		}
	}
	queryKnown(b, t.organization, first, true, func(int, string) error { return errRaced })
}

const insertAlerts = `
INSERT INTO auditwarden_alerts (organization_id, status, created_at, updated_at, active_since,
	id, fingerprint, severity, type, title, description, source, correlation_id, trace_id, span_id, tags, metadata, rule, finding,
	event_key, occurrences, first_seen, last_seen, notified_at, version, timer_due, active_version)
SELECT $1, $2, $3, $3, $3,
	id, fingerprint, severity, type, title, description, source, correlation_id, trace_id, span_id, tags::jsonb, metadata::jsonb, rule, finding::jsonb,
	event_key, occurrences, first_seen, last_seen, notified_at, version, timer_due, version
FROM unnest($4::uuid[], $5::bytea[], $6::smallint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
	$12::bytea[], $13::bytea[], $14::text[], $15::text[], $16::text[], $17::text[],
	$18::bytea[], $19::bigint[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[], $23::bigint[], $24::timestamptz[])
	AS u (id, fingerprint, severity, type, title, description, source, correlation_id, trace_id, span_id,
	tags, metadata, rule, finding,
	event_key, occurrences, first_seen, last_seen, notified_at, version, timer_due)
ON CONFLICT (organization_id, fingerprint) WHERE resolved_at IS NULL DO NOTHING`

// writeRest updates the alerts that were joined and inserts all other rows.
func (t *tenant) writeRest(b *pgx.Batch) {
	if as := t.joined; len(as) > 0 {
		b.Queue(updateAlerts, t.organization, as[0].UpdatedAt,
			column(as, (*incident).id),
			column(as, (*incident).rank),
			column(as, (*incident).count),
			column(as, (*incident).first),
			column(as, (*incident).last),
			column(as, (*incident).due),
			column(as, (*incident).version),
			column(as, (*incident).timerDue),
			column(as, func(a *incident) int64 { return a.timer.Version }),
			column(as, func(a *incident) time.Time { return a.timer.Since }),
			column(as, func(a *incident) int32 { return int32(a.timer.Step) }),
		)
	}
	b.Queue(keepPlans)
	if as := t.opened; len(as) > 0 {
		b.Queue(insertOpenings, t.organization, as[0].opening.Version, as[0].opening.To, as[0].opening.At,
			column(as, (*incident).id),
			column(as, func(a *incident) string { return clean(a.opening.By) }),
		)
	}
	if es := t.counted; len(es) > 0 {
		b.Queue(insertOccurrences, t.organization,
			column(es, entry.id),
			column(es, func(e entry) []byte { return e.EventKey[:] }),
			column(es, func(e entry) int64 { return e.Count }),
			column(es, entry.seen),
		)
	}
	if es := t.due; len(es) > 0 {
		b.Queue(insertNotifications, t.organization, es[0].alert.UpdatedAt,
			column(es, entry.id),
			column(es, func(e entry) string { key, _ := e.notification(); return key }),
			column(es, func(e entry) string { _, reason := e.notification(); return string(reason) }),
		)
	}
}

const (
	updateAlerts = `
UPDATE auditwarden_alerts AS a
SET severity = u.severity, occurrences = u.occurrences, first_seen = u.first_seen, last_seen = u.last_seen,
	notified_at = u.notified_at, version = u.version, updated_at = greatest(a.updated_at, $2),
	timer_due = u.timer_due, active_version = u.active_version, active_since = u.active_since, escalation_step = u.escalation_step
FROM unnest($3::uuid[], $4::smallint[], $5::bigint[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::bigint[],
	$10::timestamptz[], $11::bigint[], $12::timestamptz[], $13::int[])
	AS u (id, severity, occurrences, first_seen, last_seen, notified_at, version,
	timer_due, active_version, active_since, escalation_step)
WHERE a.organization_id = $1 AND a.id = u.id`

	insertOpenings = `
INSERT INTO auditwarden_alert_history (organization_id, version, status_to, changed_at, note, alert_id, changed_by)
SELECT $1, $2, $3, $4, '', alert_id, changed_by
FROM unnest($5::uuid[], $6::text[]) AS u (alert_id, changed_by)`

	insertOccurrences = `
INSERT INTO auditwarden_alert_occurrences (organization_id, alert_id, event_key, occurrences, last_seen)
SELECT $1, alert_id, event_key, occurrences, last_seen
FROM unnest($2::uuid[], $3::bytea[], $4::bigint[], $5::timestamptz[]) AS u (alert_id, event_key, occurrences, last_seen)`

	insertNotifications = `
INSERT INTO auditwarden_alert_outbox (organization_id, created_at, due_at, route, alert_id, idempotency_key, reason)
SELECT $1, $2, $2, '', alert_id, idempotency_key, reason
FROM unnest($3::uuid[], $4::text[], $5::text[]) AS u (alert_id, idempotency_key, reason)`
)

// orNull returns an ID, or nil if it is zero.
func orNull(id []byte) []byte {
	if bytes.Count(id, []byte{0}) == len(id) {
		return nil
	}
	return id
}

func (a *incident) id() string                { return a.ID }
func (a *incident) rank() int16               { return int16(a.Severity) }
func (a *incident) count() int64              { return a.Occurrences }
func (a *incident) first() time.Time          { return a.FirstSeen }
func (a *incident) last() time.Time           { return a.LastSeen }
func (a *incident) due() zeronull.Timestamptz { return zeronull.Timestamptz(a.notified) }
func (a *incident) version() int64            { return a.Version }

func (a *incident) timerDue() zeronull.Timestamptz { return zeronull.Timestamptz(a.timer.Due) }

func (e entry) id() string      { return e.alert.ID }
func (e entry) seen() time.Time { return e.LastSeen }

func (e entry) notification() (key string, r alerting.Reason) {
	return alerting.OccurrenceNotification(e.alert.ID, e.EventKey, e.stored)
}
