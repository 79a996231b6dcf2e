package pgalerts

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// eraseChunk is the largest number of alerts in which one transaction replaces a name.
const eraseChunk = 200

// Erase implements [driver.Store]. It reads all alerts of the organization, and changes
// them in transactions of 1,000 deletions or 200 replacements. If a connection breaks,
// the numbers may be too low.
func (s *Store) Erase(ctx context.Context, organization, name string) (e alerting.Erased, err error) {
	if err := checkOrganization(organization); err != nil {
		return e, err
	}
	for deleted := purgeChunk; deleted == purgeChunk; {
		err := s.read(ctx, organization, func(b *pgx.Batch) {
			b.Queue(deleteNamed, organization, clean(name), purgeChunk).Exec(func(tag pgconn.CommandTag) error {
				deleted = int(tag.RowsAffected())
				return nil
			})
		})
		if err != nil {
			return e, err
		}
		e.Alerts += deleted
	}
	for last, more := firstID, true; more; {
		var page erasedPage
		if err := s.write(ctx, func(tx pgx.Tx) (err error) {
			page, err = eraseIn(ctx, tx, organization, name, last)
			return err
		}); err != nil {
			return e, err
		}
		e.Changed += page.changed
		e.Evidence += page.events
		last, more = page.last, page.read == eraseChunk
	}
	return e, nil
}

// An erasedPage says how many alerts of a page were read and changed, and which was the
// last.
type erasedPage struct {
	read, changed int
	events        int // of the evidence that were deleted
	last          string
}

// A keptEvent is a row of evidence.
type keptEvent struct {
	Key  []byte
	Text string
}

// firstID is before every alert.
const firstID = "00000000-0000-0000-0000-000000000000"

// eraseIn replaces the name in a page of the alerts that have it somewhere.
func eraseIn(ctx context.Context, tx pgx.Tx, organization, name, after string) (p erasedPage, err error) {
	var as []*monitor.Alert
	b := &pgx.Batch{}
	scope(b, organization)
	b.Queue(lockNaming, organization, after, clean(name), eraseChunk).Query(func(rows pgx.Rows) (err error) {
		as, err = pgx.CollectRows(rows, scanAlert)
		return err
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil || len(as) == 0 {
		return p, err
	}
	b = &pgx.Batch{}
	histories := make([][]alerting.Change, len(as))
	evidence := make([][]keptEvent, len(as))
	for i, a := range as {
		queryHistory(b, a.Ref(), 0, &histories[i])
		b.Queue(readKept, organization, a.ID).Query(func(rows pgx.Rows) (err error) {
			evidence[i], err = pgx.CollectRows(rows, pgx.RowToStructByPos[keptEvent])
			return err
		})
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return p, err
	}
	b = &pgx.Batch{}
	p = erasedPage{read: len(as), last: as[len(as)-1].ID}
	for i, a := range as {
		for _, e := range evidence[i] {
			if driver.NamesIn(e.Text, clean(name)) {
				p.events++
				b.Queue(deleteEvidence, organization, a.ID, e.Key, len(e.Text))
			}
		}
		found, err := driver.EraseName(a, histories[i], clean(name))
		if err != nil {
			return p, err
		}
		if found {
			p.changed++
			if err := writeErased(b, a, histories[i]); err != nil {
				return p, err
			}
		}
	}
	return p, tx.SendBatch(ctx, b).Close()
}

// writeErased writes the texts of an alert and of its history.
func writeErased(b *pgx.Batch, a *monitor.Alert, history []alerting.Change) error {
	var texts [3]string
	for i, v := range []any{a.Tags, a.Metadata, a.Finding} {
		var err error
		if texts[i], err = document(v); err != nil {
			return err
		}
	}
	b.Queue(updateTexts, a.OrganizationID, a.ID, a.Title, a.Description, a.CorrelationID, texts[0], texts[1], texts[2],
		null(a.AcknowledgedBy, a.AcknowledgedAt), null(a.ResolvedBy, a.ResolvedAt), null(a.ResolutionNotes, a.ResolvedAt))
	for i := range history {
		b.Queue(updateChange, a.OrganizationID, a.ID, history[i].Version, history[i].By, history[i].Note)
	}
	return nil
}

const (
	deleteNamed = `
WITH named AS (
	SELECT id FROM auditwarden_alerts
	WHERE organization_id = $1 AND finding->>'key' = $2
	LIMIT $3
	FOR UPDATE
)
DELETE FROM auditwarden_alerts AS a USING named WHERE a.organization_id = $1 AND a.id = named.id`

	// In JSON, the name may stand with escapes.
	lockNaming = `SELECT ` + alertColumns + ` FROM auditwarden_alerts AS a
WHERE organization_id = $1 AND id > $2 AND (
	strpos(concat_ws(' ', title, description, correlation_id, acknowledged_by, resolved_by, resolution_notes), $3) > 0
	OR strpos(concat_ws(' ', tags::text, metadata::text, finding::text), substr(to_jsonb($3::text)::text, 2, length(to_jsonb($3::text)::text) - 2)) > 0
	OR EXISTS (
		SELECT 1 FROM auditwarden_alert_history AS h
		WHERE h.organization_id = $1 AND h.alert_id = a.id AND strpos(concat_ws(' ', h.changed_by, h.note), $3) > 0
	)
	OR EXISTS (
		SELECT 1 FROM auditwarden_alert_occurrences AS o
		WHERE o.organization_id = $1 AND o.alert_id = a.id AND o.evidence IS NOT NULL
			AND strpos(o.evidence, substr(to_jsonb($3::text)::text, 2, length(to_jsonb($3::text)::text) - 2)) > 0
	)
)
ORDER BY id
LIMIT $4
FOR NO KEY UPDATE`

	readKept = `
SELECT event_key, evidence FROM auditwarden_alert_occurrences
WHERE organization_id = $1 AND alert_id = $2 AND evidence IS NOT NULL`

	deleteEvidence = `
WITH deleted AS (
	UPDATE auditwarden_alert_occurrences SET evidence = NULL
	WHERE organization_id = $1 AND alert_id = $2 AND event_key = $3 AND evidence IS NOT NULL
	RETURNING 1
)
UPDATE auditwarden_alerts SET evidence_events = evidence_events - 1, evidence_bytes = evidence_bytes - $4
WHERE organization_id = $1 AND id = $2 AND EXISTS (SELECT FROM deleted)`

	updateTexts = `
UPDATE auditwarden_alerts
SET title = $3, description = $4, correlation_id = $5, tags = $6, metadata = $7, finding = $8,
	acknowledged_by = $9, resolved_by = $10, resolution_notes = $11
WHERE organization_id = $1 AND id = $2`

	updateChange = `
UPDATE auditwarden_alert_history SET changed_by = $4, note = $5
WHERE organization_id = $1 AND alert_id = $2 AND version = $3`
)
