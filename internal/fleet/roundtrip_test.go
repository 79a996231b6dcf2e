package fleet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// TestRoundTrip stores signed events in PostgreSQL, reads them again and verifies
// them. As jsonb they are what they were, but that numbers lose their exponents. In
// columns it takes the text of the
// timestamp besides the timestamptz, unless all emitters write their times in UTC
// and with milliseconds, as this library and the reference do.
func TestRoundTrip(t *testing.T) {
	pool := testservice.PostgresPool(t, schema(t, testservice.PostgresURL(t)))
	for _, sql := range []string{
		`CREATE TABLE documents (id text PRIMARY KEY, event jsonb NOT NULL)`,
		`CREATE TABLE events (
			id text PRIMARY KEY, at timestamptz NOT NULL, at_text text NOT NULL, action text NOT NULL, status text NOT NULL,
			principal text NOT NULL, organization text NOT NULL, outcome text NOT NULL, details jsonb,
			hash text NOT NULL, hash_algorithm text NOT NULL, signature text NOT NULL, algorithm text NOT NULL, key text NOT NULL
		)`,
	} {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	key, err := newKey(secret)
	require.NoError(t, err)
	signer, err := crypto.NewSigner(key)
	require.NoError(t, err)
	checker, err := newChecker(secret)
	require.NoError(t, err)
	for _, tt := range []struct {
		id    string
		event *monitor.Event
		// bare says that the timestamptz is enough.
		bare bool
	}{
		{id: "made in Go", bare: true, event: &monitor.Event{
			Timestamp: time.Date(2026, 3, 2, 12, 0, 0, 123456789, time.UTC),
			Details: map[string]any{
				"float": 0.1, "small": 0.000001, "big": uint64(math.MaxUint64), "text": "Grüße, κόσμε 🌍 <&> \u2028 \"\\",
			},
		}},
		{id: "made in Go elsewhere", bare: true, event: &monitor.Event{
			Timestamp: time.Date(2026, 3, 2, 12, 0, 0, 999999999, time.FixedZone("", -5*3600)),
		}},
		{id: "milliseconds", bare: true, event: decoded(t, `"timestamp":"2026-03-02T12:00:00.120Z"`)},
		{id: "no fraction", event: decoded(t, `"timestamp":"2026-03-02T12:00:00Z"`)},
		{id: "an offset", event: decoded(t, `"timestamp":"2026-03-02T13:00:00.120+01:00"`)},
		{id: "nanoseconds", event: decoded(t, `"timestamp":"2026-03-02T12:00:00.123456789Z"`)},
		{id: "nanoseconds and an offset", event: decoded(t, `"timestamp":"2026-03-02T06:30:00.999999999-05:30"`)},
		{id: "numbers", event: decoded(t, `"timestamp":"2026-03-02T12:00:00.5Z","recordCount":9007199254740993,
			"ratio":0.30000000000000004,"id64":18446744073709551616,"list":[1.50,-0.25,12345678901234567890123456789]`)},
		{id: "text", event: decoded(t, `"timestamp":"2026-03-02t12:00:00z","principalId":"Zoë \ud83d\udc69\u200d\ud83d\ude80","outcomeDescription":"a\"b\\c\u2028\ttab","note":{"ü":["\u0001"]}`)},
	} {
		t.Run(tt.id, func(t *testing.T) {
			e := tt.event
			e.ID, e.Action, e.Status, e.OrganizationID = tt.id, "record.open", monitor.StatusSuccess, "acme"
			require.NoError(t, signer.Sign(t.Context(), e))
			require.Equal(t, monitor.VerdictVerified, verdict(checker, e), "before it is stored")

			document := throughDocument(t, pool, e)
			assert.Equal(t, monitor.VerdictVerified, verdict(checker, document), "read from jsonb")
			wantSameContent(t, document, e)

			columns, bare := throughColumns(t, pool, e)
			assert.Equal(t, monitor.VerdictVerified, verdict(checker, columns), "read from columns")
			if len(columns.Details)+len(document.Details) > 0 {
				assert.Equal(t, document.Details, columns.Details)
			}
			assert.Equal(t, tt.bare, verdict(checker, bare) == monitor.VerdictVerified, "read without the text of its timestamp")

			// Time that was changed in the database is found out.
			columns.Timestamp = columns.Timestamp.Add(time.Millisecond)
			assert.Equal(t, monitor.VerdictContentEdited, verdict(checker, columns), "a millisecond later")
		})
	}
}

// decoded returns an event with these fields.
func decoded(t *testing.T, fields string) *monitor.Event {
	t.Helper()
	e := &monitor.Event{}
	require.NoError(t, monitor.DecodeEvent([]byte(`{"action":"a","status":"success",`+fields+`}`), e))
	return e
}

func verdict(c *crypto.Checker, e *monitor.Event) monitor.Verdict {
	return c.Verify(context.Background(), e).Verdict
}

// throughDocument stores an event as jsonb and reads it again.
func throughDocument(t *testing.T, pool *pgxpool.Pool, e *monitor.Event) *monitor.Event {
	t.Helper()
	text, err := e.AppendJSON(nil)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `INSERT INTO documents VALUES ($1, $2)`, e.ID, text)
	require.NoError(t, err)
	read := &monitor.Event{}
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT event::text FROM documents WHERE id = $1`, e.ID).Scan(&text))
	require.NoError(t, monitor.DecodeEvent(text, read))
	return read
}

// throughColumns stores an event in columns and reads it again: with the text of
// its timestamp, and without.
func throughColumns(t *testing.T, pool *pgxpool.Pool, e *monitor.Event) (with, without *monitor.Event) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `INSERT INTO events VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		e.ID, e.Timestamp, e.TimestampText(), e.Action, e.Status, e.PrincipalID, e.OrganizationID, e.OutcomeDescription,
		e.Details, e.Hash, e.HashAlgorithm, e.Signature, e.SignatureAlgorithm, e.KeyID)
	require.NoError(t, err)
	var text string
	var details []byte // the numbers as they are
	without = &monitor.Event{}
	err = pool.QueryRow(t.Context(), `SELECT id, at, at_text, action, status, principal, organization, outcome, hash, hash_algorithm, signature, algorithm, key, coalesce(details, '{}')::text
		FROM events WHERE id = $1`, e.ID).Scan(
		&without.ID, &without.Timestamp, &text, &without.Action, &without.Status, &without.PrincipalID, &without.OrganizationID,
		&without.OutcomeDescription, &without.Hash, &without.HashAlgorithm, &without.Signature,
		&without.SignatureAlgorithm, &without.KeyID, &details)
	require.NoError(t, err)
	without.Details = decodedObject(t, details)
	read := *without
	require.NoError(t, read.SetTimestampText(text))
	return &read, without
}

// decodedObject decodes a JSON object whose numbers are kept as they are.
func decodedObject(t *testing.T, text []byte) (m map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&m))
	return m
}

// wantSameContent checks that an event says what it said, the fields that no
// signature covers included.
func wantSameContent(t *testing.T, got, want *monitor.Event) {
	t.Helper()
	assert.Equal(t, want.RecordCount, got.RecordCount)
	assert.Equal(t, want.TimestampText(), got.TimestampText())
	a, err := got.AppendJSON(nil)
	require.NoError(t, err)
	b, err := want.AppendJSON(nil)
	require.NoError(t, err)
	assert.Equal(t, string(b), string(a))
}
