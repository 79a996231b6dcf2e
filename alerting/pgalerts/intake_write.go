package pgalerts

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
)

// writeOpened queues the insertion of the new alerts. It fails with [errRaced] if
// another instance has opened one of them meanwhile, even if it is closed again.
func (t *tenant) writeOpened(b *pgx.Batch) {
	if len(t.opened) == 0 {
		return
	}
	as := t.opened
	b.Queue(insertAlerts, t.organization, as[0].Status, as[0].CreatedAt,
		column(as, (*openAlert).id),
		column(as, func(a *openAlert) []byte { return a.Fingerprint[:] }),
		column(as, (*openAlert).rank),
		column(as, func(a *openAlert) string { return clean(string(a.Type)) }),
		column(as, func(a *openAlert) string { return clean(a.Title) }),
		column(as, func(a *openAlert) string { return clean(a.Description) }),
		column(as, func(a *openAlert) string { return clean(a.Source) }),
		column(as, func(a *openAlert) string { return clean(a.CorrelationID) }),
		column(as, func(a *openAlert) []byte { return orNull(a.TraceID[:]) }),
		column(as, func(a *openAlert) []byte { return orNull(a.SpanID[:]) }),
		column(as, func(a *openAlert) string { return a.tags }),
		column(as, func(a *openAlert) string { return a.metadata }),
		column(as, func(a *openAlert) string { return clean(a.Finding.Rule) }),
		column(as, func(a *openAlert) string { return a.finding }),
		column(as, func(a *openAlert) []byte { return a.openedBy[:] }),
		column(as, (*openAlert).count),
		column(as, (*openAlert).first),
		column(as, (*openAlert).last),
		column(as, (*openAlert).notified),
		column(as, (*openAlert).version),
		column(as, (*openAlert).timerDue),
		column(as, (*openAlert).since),
		column(as, (*openAlert).keptEvents),
		column(as, (*openAlert).keptBytes),
	).Exec(func(inserted pgconn.CommandTag) error {
		if inserted.RowsAffected() != int64(len(as)) {
			return errRaced
		}
		return nil
	})
	var first []occurrence
	for _, c := range t.counted {
		if c.alert.opening.Version != 0 {
			first = append(first, c.occurrence)
		}
	}
	queryKnown(b, t.organization, first, func(int, string) error { return errRaced })
}

const insertAlerts = `
INSERT INTO auditwarden_alerts (organization_id, status, created_at, updated_at,
	id, fingerprint, severity, type, title, description, source, correlation_id, trace_id, span_id, tags, metadata, rule, finding,
	event_key, occurrences, first_seen, last_seen, notified_at, version, timer_due, active_since,
	evidence_events, evidence_bytes, active_version)
SELECT $1, $2, $3, $3,
	id, fingerprint, severity, type, title, description, source, correlation_id, trace_id, span_id, tags::jsonb, metadata::jsonb, rule, finding::jsonb,
	event_key, occurrences, first_seen, last_seen, notified_at, version, timer_due, active_since,
	evidence_events, evidence_bytes, version
FROM unnest($4::uuid[], $5::bytea[], $6::smallint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
	$12::bytea[], $13::bytea[], $14::text[], $15::text[], $16::text[], $17::text[],
	$18::bytea[], $19::bigint[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[], $23::bigint[], $24::timestamptz[], $25::timestamptz[],
	$26::int[], $27::bigint[])
	AS u (id, fingerprint, severity, type, title, description, source, correlation_id, trace_id, span_id,
	tags, metadata, rule, finding,
	event_key, occurrences, first_seen, last_seen, notified_at, version, timer_due, active_since,
	evidence_events, evidence_bytes)
ON CONFLICT (organization_id, fingerprint) WHERE resolved_at IS NULL DO NOTHING`

// writeRest queues updates of joined alerts and insertions of all other rows.
func (t *tenant) writeRest(b *pgx.Batch) {
	if as := t.joined; len(as) > 0 {
		b.Queue(updateAlerts, t.organization, as[0].UpdatedAt,
			column(as, (*openAlert).id),
			column(as, (*openAlert).rank),
			column(as, (*openAlert).count),
			column(as, (*openAlert).first),
			column(as, (*openAlert).last),
			column(as, (*openAlert).notified),
			column(as, (*openAlert).version),
			column(as, (*openAlert).timerDue),
			column(as, func(a *openAlert) int64 { return a.timer.Version }),
			column(as, (*openAlert).since),
			column(as, func(a *openAlert) int32 { return int32(a.timer.Step) }),
			column(as, (*openAlert).keptEvents),
			column(as, (*openAlert).keptBytes),
		)
	}
	b.Queue(keepPlans)
	if as := t.opened; len(as) > 0 {
		b.Queue(insertOpenings, t.organization, as[0].opening.Version, as[0].opening.To, as[0].opening.At,
			column(as, (*openAlert).id),
			column(as, func(a *openAlert) string { return clean(a.opening.By) }),
		)
	}
	if cs := t.counted; len(cs) > 0 {
		b.Queue(insertOccurrences, t.organization,
			column(cs, countedOccurrence.id),
			column(cs, func(c countedOccurrence) []byte { return c.EventKey[:] }),
			column(cs, func(c countedOccurrence) int64 { return c.Count }),
			column(cs, countedOccurrence.seen),
			column(cs, func(c countedOccurrence) int64 { return incidentEvent(c.occurrence) }),
			column(cs, countedOccurrence.evidence),
		)
	}
	if cs := t.due; len(cs) > 0 {
		b.Queue(insertNotifications, t.organization, cs[0].alert.UpdatedAt,
			column(cs, countedOccurrence.id),
			column(cs, func(c countedOccurrence) string { key, _ := c.notification(); return key }),
			column(cs, func(c countedOccurrence) string { _, reason := c.notification(); return string(reason) }),
		)
	}
}

const (
	updateAlerts = `
UPDATE auditwarden_alerts AS a
SET severity = u.severity, occurrences = u.occurrences, first_seen = u.first_seen, last_seen = u.last_seen,
	notified_at = u.notified_at, version = u.version, updated_at = greatest(a.updated_at, $2),
	timer_due = u.timer_due, active_version = u.active_version, active_since = u.active_since, escalation_step = u.escalation_step,
	evidence_events = u.evidence_events, evidence_bytes = u.evidence_bytes
FROM unnest($3::uuid[], $4::smallint[], $5::bigint[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::bigint[],
	$10::timestamptz[], $11::bigint[], $12::timestamptz[], $13::int[], $14::int[], $15::bigint[])
	AS u (id, severity, occurrences, first_seen, last_seen, notified_at, version,
	timer_due, active_version, active_since, escalation_step, evidence_events, evidence_bytes)
WHERE a.organization_id = $1 AND a.id = u.id`

	insertOpenings = `
INSERT INTO auditwarden_alert_history (organization_id, version, status_to, changed_at, note, alert_id, changed_by)
SELECT $1, $2, $3, $4, '', alert_id, changed_by
FROM unnest($5::uuid[], $6::text[]) AS u (alert_id, changed_by)`

	insertOccurrences = `
INSERT INTO auditwarden_alert_occurrences (organization_id, alert_id, event_key, occurrences, last_seen, incident_event, evidence)
SELECT $1, alert_id, event_key, occurrences, last_seen, incident_event, evidence
FROM unnest($2::uuid[], $3::bytea[], $4::bigint[], $5::timestamptz[], $6::bigint[], $7::text[])
	AS u (alert_id, event_key, occurrences, last_seen, incident_event, evidence)`

	insertNotifications = `
INSERT INTO auditwarden_alert_outbox (organization_id, created_at, due_at, route, alert_id, idempotency_key, reason)
SELECT $1, $2, $2, '', alert_id, idempotency_key, reason
FROM unnest($3::uuid[], $4::text[], $5::text[]) AS u (alert_id, idempotency_key, reason)`
)

func (a *openAlert) id() string       { return a.ID }
func (a *openAlert) rank() int16      { return int16(a.Severity) }
func (a *openAlert) count() int64     { return a.Occurrences }
func (a *openAlert) first() time.Time { return a.FirstSeen }
func (a *openAlert) last() time.Time  { return a.LastSeen }
func (a *openAlert) version() int64   { return a.Version }

func (a *openAlert) since() time.Time     { return a.timer.Since }
func (a *openAlert) keptEvents() int32    { return int32(a.events) }
func (a *openAlert) keptBytes() int64     { return a.eventBytes }
func (a *openAlert) timerDue() *time.Time { return orNever(a.timer.Due) }
func (a *openAlert) notified() *time.Time { return orNever(a.timer.Notified) }

func (c countedOccurrence) id() string      { return c.alert.ID }
func (c countedOccurrence) seen() time.Time { return c.LastSeen }

// evidence returns the evidence if it is kept, or nil.
func (c countedOccurrence) evidence() *string {
	if !c.kept {
		return nil
	}
	text := clean(c.Evidence)
	return &text
}

func (c countedOccurrence) notification() (key string, r alerting.Reason) {
	return driver.OccurrenceNotification(c.alert.ID, c.EventKey, c.first)
}
