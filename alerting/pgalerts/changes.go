package pgalerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// Change implements [driver.Store].
func (s *Store) Change(
	ctx context.Context, ref monitor.AlertRef, to monitor.AlertStatus, by, note string,
) (a *monitor.Alert, err error) {
	if err := checkRef(ref); err != nil {
		return nil, err
	}
	var made alerting.Change // by the last attempt, whose commit may have taken effect
	err = s.write(ctx, func(tx pgx.Tx) (err error) {
		a, err = changeStatus(ctx, tx, ref, to, by, note, &made)
		return err
	})
	return a, err
}

// changeStatus makes one attempt, and sets made to the change that it is going to
// commit. If the history has a change that was made before, that commit took effect.
func changeStatus(
	ctx context.Context, tx pgx.Tx, ref monitor.AlertRef, to monitor.AlertStatus, by, note string, made *alerting.Change,
) (*monitor.Alert, error) {
	var a *monitor.Alert
	var history []alerting.Change
	var now time.Time
	var policy *driver.Policy
	var timer driver.Timer
	b := &pgx.Batch{}
	if to == monitor.AlertActive {
		startDeciding(b)
	}
	scope(b, ref.Organization)
	readPolicy(b, ref.Organization, func(p *driver.Policy, err error) error {
		policy = p
		if to != monitor.AlertActive {
			return nil // alerts can be closed even if the settings are broken
		}
		return err
	})
	b.Queue(lockAlert, ref.Organization, ref.ID).Query(func(rows pgx.Rows) (err error) {
		a, err = pgx.CollectExactlyOneRow(rows, scanAlert)
		return err
	})
	b.Queue(readNotified, ref.Organization, ref.ID).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{(*zeronull.Timestamptz)(&timer.Notified), &timer.Since}, func() error { return nil })
		return err
	})
	queryHistory(b, ref, made.Version, &history)
	readClock(b, &now)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			err = notFound(ref)
		}
		return nil, err
	}
	if len(history) == 1 && history[0] == *made {
		return a, nil
	}
	if now.Before(a.UpdatedAt) {
		now = a.UpdatedAt // the server's clock was set back
	}
	damped := a.Status.Open() && policy.Damped(timer, now)
	c, err := driver.ChangeStatus(a, to, ref.Version, by, note, now)
	if err != nil {
		return nil, err
	}
	b = &pgx.Batch{}
	writeChange(b, a, &c)
	if !damped {
		notifyOfChange(b, a, &c)
	}
	if to == monitor.AlertActive {
		writeTimer(b, a, policy.StartTimer(a, timer, now))
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.ConstraintName == oneOpen {
			err = fmt.Errorf("another alert of the same fingerprint is open: %w: %w", monitor.ErrConflict, err)
		}
		return nil, err
	}
	*made = c
	return a, nil
}

// writeChange writes an alert whose status was changed, and its history.
// The caller sets the timer of a reopened alert.
func writeChange(b *pgx.Batch, a *monitor.Alert, c *alerting.Change) {
	b.Queue(updateStatus, a.OrganizationID, a.ID, a.Status, a.Version, a.UpdatedAt,
		orNever(a.AcknowledgedAt), null(a.AcknowledgedBy, a.AcknowledgedAt),
		orNever(a.ResolvedAt), null(a.ResolvedBy, a.ResolvedAt), null(a.ResolutionNotes, a.ResolvedAt))
	b.Queue(insertChange, a.OrganizationID, a.ID, c.Version, c.From, c.To, c.By, c.Note, c.At)
}

// notifyOfChange writes the notification of a change.
func notifyOfChange(b *pgx.Batch, a *monitor.Alert, c *alerting.Change) {
	key, reason := driver.ChangeNotification(a.ID, c)
	writeNotification(b, a, key, reason, nil, c.At)
}

// writeTimer updates the timer of an alert.
func writeTimer(b *pgx.Batch, a *monitor.Alert, t driver.Timer) {
	b.Queue(updateTimer, a.OrganizationID, a.ID, orNever(t.Notified), t.Version, t.Since, t.Step, orNever(t.Due))
}

// orNever returns a pointer to a time, or nil if it is zero.
func orNever(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// null returns a pointer to text, or nil if at is zero.
func null(text string, at time.Time) *string {
	if at.IsZero() {
		return nil
	}
	return &text
}

// oneOpen is the unique index that allows one open alert per fingerprint.
const oneOpen = "auditwarden_alerts_one_open"

const (
	lockAlert = readAlert + ` FOR NO KEY UPDATE`

	readNotified = `SELECT notified_at, active_since FROM auditwarden_alerts WHERE organization_id = $1 AND id = $2`

	updateStatus = `
UPDATE auditwarden_alerts
SET status = $3, version = $4, updated_at = $5, acknowledged_at = $6, acknowledged_by = $7,
	resolved_at = $8, resolved_by = $9, resolution_notes = $10, timer_due = CASE WHEN $8::timestamptz IS NULL THEN timer_due END
WHERE organization_id = $1 AND id = $2`

	updateTimer = `
UPDATE auditwarden_alerts
SET notified_at = $3, active_version = $4, active_since = $5, escalation_step = $6, timer_due = $7
WHERE organization_id = $1 AND id = $2`

	insertChange = `
INSERT INTO auditwarden_alert_history (organization_id, alert_id, version, status_from, status_to, changed_by, note, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
)
