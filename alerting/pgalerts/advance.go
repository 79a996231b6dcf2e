package pgalerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Advance implements [alerting.Store]. It does the alerts of an organization in a
// transaction of their own; those at which another instance is looking it leaves
// to that one. An organization where something fails does not hold up the others:
// its alerts are looked at again after a minute, and the error is among those that
// are returned. What was done by a commit whose reply was lost is not counted.
func (s *Store) Advance(ctx context.Context, limit int) (alerting.Progress, error) {
	var sum alerting.Progress
	due, err := s.readDueAlerts(ctx, limit)
	errs := []error{err}
	for _, of := range due {
		p, err := s.advance(ctx, of)
		sum.Looked += p.Looked
		sum.Escalated += p.Escalated
		sum.Resolved += p.Resolved
		if err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("organization %.40q: %w", of.organization, err))
		if ctx.Err() != nil || transient(err) {
			break // it would be no different with the others
		}
		errs = append(errs, s.putOff(ctx, of))
	}
	if err := errors.Join(errs...); err != nil {
		return sum, fmt.Errorf("pgalerts: advance alerts: %w", err)
	}
	return sum, nil
}

// dueAlerts are alerts of an organization whose timers are due.
type dueAlerts struct {
	organization string
	ids          []string
}

// readDueAlerts returns alerts whose timers are due, the first ones first.
func (s *Store) readDueAlerts(ctx context.Context, limit int) (due []dueAlerts, err error) {
	if limit <= 0 {
		return nil, nil
	}
	err = s.read(ctx, alerting.AllOrganizations, func(b *pgx.Batch) {
		b.Queue(readDue, limit).Query(func(rows pgx.Rows) (err error) {
			due, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (of dueAlerts, err error) {
				err = row.Scan(&of.organization, &of.ids)
				return of, err
			})
			return err
		})
	})
	return due, err
}

// advance does what is due in an organization.
func (s *Store) advance(ctx context.Context, due dueAlerts) (p alerting.Progress, err error) {
	err = s.write(ctx, func(tx pgx.Tx) (err error) {
		p, err = advance(ctx, tx, due)
		return err
	})
	if err != nil {
		p = alerting.Progress{}
	}
	return p, err
}

// advance is one attempt.
func advance(ctx context.Context, tx pgx.Tx, due dueAlerts) (p alerting.Progress, err error) {
	var policy *alerting.Policy
	var found []*incident
	var now time.Time
	b := &pgx.Batch{}
	lockSettings(b, lockShared, due.organization)
	scope(b, due.organization)
	readPolicy(b, due.organization, into(&policy))
	b.Queue(lockDue, due.organization, due.ids).Query(func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, scanTimer)
		return err
	})
	readClock(b, &now)
	if err := tx.SendBatch(ctx, b).Close(); err != nil || len(found) == 0 {
		return p, err
	}
	b = &pgx.Batch{}
	for _, alert := range found {
		alert.OrganizationID = due.organization
		tick := policy.Tick(alert.Alert, alert.timer, now)
		switch tick.Reason {
		case alerting.ReasonEscalated:
			p.Escalated++
			key, reason := alerting.EscalationNotification(alert.ID, tick.Timer.Version, tick.Timer.Step)
			writeNotification(b, alert.Alert, key, reason, tick.Targets, now)
			writeTimer(b, alert.Alert, tick.Timer)
		case alerting.ReasonResolved:
			p.Resolved++
			c, err := alerting.ChangeStatus(alert.Alert, monitor.AlertResolved, 0, alerting.SystemActor, tick.Note, now)
			if err != nil {
				return p, err
			}
			writeChange(b, alert.Alert, &c)
		default:
			writeTimer(b, alert.Alert, tick.Timer)
		}
	}
	p.Looked = len(found)
	return p, tx.SendBatch(ctx, b).Close()
}

// scanTimer reads of an alert what decides on its timer, and what resolving it
// keeps.
func scanTimer(row pgx.CollectableRow) (*incident, error) {
	alert := &incident{Alert: &monitor.Alert{}}
	err := row.Scan(&alert.ID, &alert.Severity, &alert.Status, &alert.Version, &alert.UpdatedAt,
		(*zeronull.Timestamptz)(&alert.AcknowledgedAt), (*zeronull.Text)(&alert.AcknowledgedBy),
		&alert.timer.Version, &alert.timer.Since, &alert.timer.Step, (*zeronull.Timestamptz)(&alert.timer.Due))
	return alert, err
}

// putOff makes alerts that could not be advanced due later.
func (s *Store) putOff(ctx context.Context, due dueAlerts) error {
	return s.read(ctx, due.organization, func(b *pgx.Batch) {
		b.Queue(putOffTimers, due.organization, due.ids)
	})
}

// writeTimer writes an alert's timer.
func writeTimer(b *pgx.Batch, a *monitor.Alert, t alerting.Timer) {
	b.Queue(updateTimer, a.OrganizationID, a.ID, t.Version, t.Since, t.Step, zeronull.Timestamptz(t.Due))
}

const (
	readDue = `
WITH due AS MATERIALIZED (
	SELECT organization_id, id, timer_due FROM auditwarden_alerts WHERE timer_due <= now() ORDER BY timer_due LIMIT $1
)
SELECT organization_id, array_agg(id::text) FROM due GROUP BY organization_id ORDER BY min(timer_due)`

	lockDue = `
SELECT a.id, a.severity, a.status, a.version, a.updated_at, a.acknowledged_at, a.acknowledged_by,
	a.active_version, a.active_since, a.escalation_step, a.timer_due
FROM unnest($2::uuid[]) AS u (id)
CROSS JOIN LATERAL (
	SELECT id, severity, status, version, updated_at, acknowledged_at, acknowledged_by,
		active_version, active_since, escalation_step, timer_due
	FROM auditwarden_alerts
	WHERE organization_id = $1 AND id = u.id AND timer_due <= now()
	FOR NO KEY UPDATE SKIP LOCKED
) AS a`

	updateTimer = `
UPDATE auditwarden_alerts SET active_version = $3, active_since = $4, escalation_step = $5, timer_due = $6
WHERE organization_id = $1 AND id = $2`

	putOffTimers = `
WITH broken AS (
	SELECT id FROM auditwarden_alerts
	WHERE organization_id = $1 AND id = ANY ($2::uuid[]) AND timer_due <= now()
	FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE auditwarden_alerts AS a SET timer_due = now() + interval '1 minute' FROM broken WHERE a.organization_id = $1 AND a.id = broken.id`
)
