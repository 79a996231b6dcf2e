package pgalerts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// alertColumns are what scanAlert reads.
const alertColumns = `organization_id, id, fingerprint, severity, type, title, description, source, status,
	correlation_id, trace_id, span_id, tags, metadata, finding, occurrences, first_seen, last_seen, created_at, updated_at,
	acknowledged_at, acknowledged_by, resolved_at, resolved_by, resolution_notes, version`

// An alertRow is where they are read to.
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

// clean returns text that PostgreSQL can store. It knows no NUL and nothing that
// is not UTF-8, and an alert must not be lost because an attacker sent some.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

func cleanAll[T ~string](texts []T) []string {
	cleaned := make([]string, len(texts))
	for i, t := range texts {
		cleaned[i] = clean(string(t))
	}
	return cleaned
}

// document returns the JSON form of a finding, or of what an alert has from it,
// for a column of type jsonb, which knows no NUL either.
func document(v any) (string, error) {
	text, err := json.Marshal(v) // replaces what is not UTF-8
	if err != nil {
		return "", &alerting.InvalidError{Field: "Occurrence.Finding", Err: err}
	}
	return withoutNUL(string(text)), nil
}

// withoutNUL replaces the escape of NUL in JSON text.
func withoutNUL(text string) string {
	const escape, replacement = `\u0000`, `\ufffd`
	if !strings.Contains(text, escape) {
		return text
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		text = text[i:]
		n := 2 // an escaped backslash begins no other escape
		if strings.HasPrefix(text, escape) {
			n = len(escape)
			b.WriteString(replacement)
		} else {
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
}

// column returns one value of each row, for unnest.
func column[R, V any](rows []R, value func(R) V) []V {
	values := make([]V, len(rows))
	for i, r := range rows {
		values[i] = value(r)
	}
	return values
}
