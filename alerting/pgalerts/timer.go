package pgalerts

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/monitor"
)

const (
	// timerColumns are the columns that scanTimer reads, and timersOf is how they are
	// read from the table.
	timerColumns = `a.id, rule, key, ` + timerState
	timersOf     = `a.id, rule, coalesce(finding ->> 'key', '') AS key, ` + timerState

	timerState = `severity, status, version, updated_at, acknowledged_at, acknowledged_by,
		last_seen, notified_at, active_version, active_since, escalation_step, timer_due`
)

// scanTimer reads what a timer depends on and what resolving its alert writes.
func scanTimer(row pgx.CollectableRow) (*openAlert, error) {
	alert := &openAlert{Alert: &monitor.Alert{}}
	err := row.Scan(&alert.ID, &alert.Finding.Rule, &alert.Finding.Key, &alert.Severity, &alert.Status, &alert.Version, &alert.UpdatedAt,
		(*zeronull.Timestamptz)(&alert.AcknowledgedAt), (*zeronull.Text)(&alert.AcknowledgedBy),
		&alert.LastSeen, (*zeronull.Timestamptz)(&alert.timer.Notified), &alert.timer.Version, &alert.timer.Since, &alert.timer.Step, (*zeronull.Timestamptz)(&alert.timer.Due))
	return alert, err
}
