package pgalerts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/monitor"
)

// The server refuses rows that no store writes.
func testConstraints(t *testing.T, server string) {
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	put(t, s, occurrence("mallory", "e1", 0), occurrence("eve", "e2", 0))
	_, err := s.SaveSettings(t.Context(), "acme", settings(time.Minute), "ann")
	require.NoError(t, err)
	const check, foreignKey, unique, notNull = "23514", "23503", "23505", "23502"
	for statement, code := range map[string]string{
		`UPDATE auditwarden_alerts SET organization_id = ''`:                                                             check,
		`UPDATE auditwarden_alerts SET fingerprint = '\x00'`:                                                             check,
		`UPDATE auditwarden_alerts SET severity = 5`:                                                                     check,
		`UPDATE auditwarden_alerts SET severity = -1`:                                                                    check,
		`UPDATE auditwarden_alerts SET status = 'open'`:                                                                  check,
		`UPDATE auditwarden_alerts SET status = 'resolved'`:                                                              check,
		`UPDATE auditwarden_alerts SET status = 'acknowledged'`:                                                          check,
		`UPDATE auditwarden_alerts SET resolved_at = now(), resolved_by = 'ann'`:                                         check,
		`UPDATE auditwarden_alerts SET acknowledged_by = 'ann'`:                                                          check,
		`UPDATE auditwarden_alerts SET resolved_by = 'ann'`:                                                              check,
		`UPDATE auditwarden_alerts SET tags = '{}'`:                                                                      check,
		`UPDATE auditwarden_alerts SET metadata = '[]'`:                                                                  check,
		`UPDATE auditwarden_alerts SET finding = '1'`:                                                                    check,
		`UPDATE auditwarden_alerts SET event_key = '\x00'`:                                                               check,
		`UPDATE auditwarden_alerts SET occurrences = 0`:                                                                  check,
		`UPDATE auditwarden_alerts SET last_seen = first_seen - interval '1 s'`:                                          check,
		`UPDATE auditwarden_alerts SET version = 0`:                                                                      check,
		`UPDATE auditwarden_alerts SET title = NULL`:                                                                     notNull,
		`UPDATE auditwarden_alerts SET fingerprint = sha256('x')`:                                                        unique,
		`UPDATE auditwarden_alerts SET id = gen_random_uuid()`:                                                           foreignKey,
		`UPDATE auditwarden_alert_history SET version = 2`:                                                               check,
		`UPDATE auditwarden_alert_history SET status_from = 'active'`:                                                    check,
		`UPDATE auditwarden_alert_history SET status_to = 'open'`:                                                        check,
		`UPDATE auditwarden_alert_history SET alert_id = gen_random_uuid()`:                                              foreignKey,
		`UPDATE auditwarden_alert_history SET organization_id = 'other'`:                                                 foreignKey,
		`UPDATE auditwarden_alert_occurrences SET event_key = '\x00'`:                                                    check,
		`UPDATE auditwarden_alert_occurrences SET occurrences = 0`:                                                       check,
		`UPDATE auditwarden_alert_occurrences SET organization_id = 'other'`:                                             foreignKey,
		`INSERT INTO auditwarden_alert_occurrences SELECT * FROM auditwarden_alert_occurrences`:                          unique,
		`UPDATE auditwarden_alert_outbox SET organization_id = 'other'`:                                                  foreignKey,
		`UPDATE auditwarden_alerts SET active_version = 2`:                                                               check,
		`UPDATE auditwarden_alerts SET escalation_step = -1`:                                                             check,
		`UPDATE auditwarden_alerts SET active_since = NULL`:                                                              notNull,
		`UPDATE auditwarden_alerts SET status = 'resolved', resolved_at = now(), resolved_by = 'ann', timer_due = now()`: check,
		`UPDATE auditwarden_alert_outbox SET attempts = -1`:                                                              check,
		`UPDATE auditwarden_alert_outbox SET reason = ''`:                                                                check,
		`UPDATE auditwarden_alert_outbox SET targets = NULL`:                                                             notNull,
		`UPDATE auditwarden_alert_outbox SET due_at = NULL`:                                                              notNull,
		`INSERT INTO auditwarden_alert_outbox OVERRIDING USER VALUE SELECT * FROM auditwarden_alert_outbox`:              unique,
		`UPDATE auditwarden_alert_settings SET version = 0`:                                                              check,
		`UPDATE auditwarden_alert_settings SET settings = '[]'`:                                                          check,
		`UPDATE auditwarden_alert_settings SET organization_id = ''`:                                                     check,
	} {
		_, err := pool.Exec(t.Context(), statement)
		requireCode(t, code, err, statement)
	}
}

// The view has the columns and types of the reference's table, and its values.
func testReferenceView(t *testing.T, server string) {
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	ids := map[string]string{}
	for _, key := range []string{"active", "acknowledged", "resolved", "dismissed"} {
		o := occurrence(key, key, 0)
		o.CorrelationID = "correlation"
		o.Finding.Severity = monitor.SeverityCritical
		ids[key] = put(t, s, o)[0].AlertID
	}
	ref := func(key string) monitor.AlertRef { return monitor.AlertRef{Organization: "acme", ID: ids[key]} }
	acknowledged, err := s.Change(t.Context(), ref("acknowledged"), monitor.AlertAcknowledged, "ann", "")
	require.NoError(t, err)
	_, err = s.Change(t.Context(), ref("resolved"), monitor.AlertResolved, "ann", "done")
	require.NoError(t, err)
	_, err = s.Change(t.Context(), ref("dismissed"), monitor.AlertDismissed, "ann", "")
	require.NoError(t, err)

	type column struct{ Name, Type string }
	rows, err := pool.Query(t.Context(), `SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = 'auditwarden_reference_alerts' ORDER BY ordinal_position`)
	require.NoError(t, err)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	require.NoError(t, err)
	const text, when = "text", "timestamp with time zone"
	assert.Equal(t, []column{
		{"id", text}, {"organization_id", text}, {"severity", text}, {"type", text}, {"title", text}, {"description", text},
		{"source", text}, {"status", text}, {"correlation_id", text}, {"metadata", "jsonb"}, {"acknowledged", text},
		{"acknowledged_at", when}, {"acknowledged_by", text}, {"resolved", text}, {"resolved_at", when}, {"resolved_by", text},
		{"resolution_notes", text}, {"tags", "jsonb"}, {"created_at", when}, {"updated_at", when},
	}, columns)
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	for key, want := range map[string]map[string]any{
		"active": {
			"organization_id": "acme", "severity": "CRITICAL", "type": "SECURITY", "source": "audit-monitoring",
			"title": "Suspicious Pattern Detected: FAILED_AUTH", "status": "active", "correlation_id": "correlation",
			"acknowledged": "false", "acknowledged_at": nil, "acknowledged_by": nil,
			"resolved": "false", "resolved_at": nil, "resolved_by": nil, "resolution_notes": nil,
			"tags": []any{"suspicious-pattern", "failed-auth"},
		},
		"acknowledged": {
			"acknowledged": "true", "acknowledged_by": "ann", "resolved": "false",
			"acknowledged_at": acknowledged.AcknowledgedAt,
		},
		"resolved":  {"acknowledged": "false", "resolved": "true", "resolved_by": "ann", "resolution_notes": "done"},
		"dismissed": {"status": "dismissed", "resolved": "true", "resolved_by": "ann", "resolution_notes": ""},
	} {
		rows, err := pool.Query(t.Context(), `SELECT `+strings.Join(names, ", ")+` FROM auditwarden_reference_alerts WHERE id = $1`, ids[key])
		require.NoError(t, err)
		got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToMap)
		require.NoError(t, err)
		for column, value := range want {
			if at, ok := got[column].(time.Time); ok {
				got[column] = at.UTC()
			}
			assert.Equal(t, value, got[column], "%s of an alert that is %s", column, key)
		}
	}
}
