package pgalerts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/monitor"
)

// alertColumns are the columns that scanAlert reads.
const alertColumns = `organization_id, id, fingerprint, severity, type, title, description, source, status,
	correlation_id, trace_id, span_id, tags, metadata, finding, occurrences, first_seen, last_seen, created_at, updated_at,
	acknowledged_at, acknowledged_by, resolved_at, resolved_by, resolution_notes, version`

// An alertRow receives the values of alertColumns.
type alertRow struct {
	monitor.Alert
	fingerprint, trace, span, tags, metadata, finding []byte
}

func (r *alertRow) targets() []any {
	a := &r.Alert
	return []any{
		&a.OrganizationID, &a.ID, &r.fingerprint, &a.Severity, &a.Type, &a.Title, &a.Description, &a.Source, &a.Status,
		&a.CorrelationID, &r.trace, &r.span, &r.tags, &r.metadata, &r.finding, &a.Occurrences, &a.FirstSeen, &a.LastSeen, &a.CreatedAt, &a.UpdatedAt,
		(*zeronull.Timestamptz)(&a.AcknowledgedAt), (*zeronull.Text)(&a.AcknowledgedBy),
		(*zeronull.Timestamptz)(&a.ResolvedAt), (*zeronull.Text)(&a.ResolvedBy), (*zeronull.Text)(&a.ResolutionNotes), &a.Version,
	}
}

func (r *alertRow) alert() (*monitor.Alert, error) {
	a := &r.Alert
	copy(a.Fingerprint[:], r.fingerprint)
	copy(a.TraceID[:], r.trace)
	copy(a.SpanID[:], r.span)
	for _, t := range []*time.Time{
		&a.FirstSeen, &a.LastSeen, &a.CreatedAt, &a.UpdatedAt, &a.AcknowledgedAt, &a.ResolvedAt,
	} {
		*t = t.UTC()
	}
	metadata := json.NewDecoder(bytes.NewReader(r.metadata))
	metadata.UseNumber() // keeps all digits
	err := errors.Join(json.Unmarshal(r.tags, &a.Tags), metadata.Decode(&a.Metadata), json.Unmarshal(r.finding, &a.Finding))
	if err != nil {
		return nil, fmt.Errorf("decode alert %s: %w", a.ID, err)
	}
	return a, nil
}

func scanAlert(row pgx.CollectableRow) (*monitor.Alert, error) {
	var r alertRow
	if err := row.Scan(r.targets()...); err != nil {
		return nil, err
	}
	return r.alert()
}

const readAlert = `SELECT ` + alertColumns + ` FROM auditwarden_alerts WHERE organization_id = $1 AND id = $2`
