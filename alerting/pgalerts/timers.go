package pgalerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// timerChunk is the largest number of due timers that are read at a time.
const timerChunk = 100

// RunTimers implements [driver.Store]. It uses one transaction per organization and
// skips alerts that another instance is working on. If it fails for one organization,
// it goes on with the others, postpones the timers of that one by a minute, and
// returns the error with all others at the end. The numbers leave out transactions
// whose response was lost.
func (s *Store) RunTimers(ctx context.Context) (escalated, resolved int, err error) {
	var errs []error
	for more := true; more; {
		more = false
		for _, step := range []func(context.Context) (bool, []error){
			s.sweepTimers,
			s.expireUnrouted,
			func(ctx context.Context) (bool, []error) {
				p, more, failed := s.runDue(ctx)
				escalated, resolved = escalated+p.escalated, resolved+p.resolved
				return more, failed
			},
		} {
			again, failed := step(ctx)
			errs = append(errs, failed...)
			if slices.ContainsFunc(failed, passing) || ctx.Err() != nil {
				return escalated, resolved, errors.Join(errs...) // the others would fail for the same reason
			}
			more = more || again
		}
	}
	return escalated, resolved, errors.Join(errs...)
}

// runDue handles a chunk of due timers, and reports whether there may be more.
func (s *Store) runDue(ctx context.Context) (p progress, more bool, errs []error) {
	due, err := s.readDueAlerts(ctx, timerChunk)
	if err != nil {
		return p, false, []error{err}
	}
	for _, of := range due {
		done, err := s.runTimers(ctx, of)
		p.seen, p.escalated, p.resolved = p.seen+done.seen, p.escalated+done.escalated, p.resolved+done.resolved
		if err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("organization %.40q: %w", of.organization, err))
		if ctx.Err() != nil || passing(err) {
			return p, false, errs
		}
		if err := s.putOff(ctx, of); err != nil {
			errs = append(errs, err)
		}
	}
	return p, p.seen == timerChunk, errs
}

// dueAlerts are alerts of one organization whose timers are due.
type dueAlerts struct {
	organization string
	ids          []string
}

// readDueAlerts returns alerts whose timers are due, the earliest first.
func (s *Store) readDueAlerts(ctx context.Context, limit int) (due []dueAlerts, err error) {
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

// progress is how many timers were handled, and what they did.
type progress struct{ seen, escalated, resolved int }

// runTimers handles the due timers of an organization.
func (s *Store) runTimers(ctx context.Context, due dueAlerts) (p progress, err error) {
	err = s.write(ctx, func(tx pgx.Tx) (err error) {
		p, err = runTimers(ctx, tx, due)
		return err
	})
	if err != nil {
		p = progress{}
	}
	return p, err
}

// runTimers makes one attempt.
func runTimers(ctx context.Context, tx pgx.Tx, due dueAlerts) (p progress, err error) {
	var policy *driver.Policy
	var found []*openAlert
	var now time.Time
	b := &pgx.Batch{}
	startDeciding(b)
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
		case alerting.ReasonOpened:
			key, reason := driver.OpeningNotification(alert.ID)
			writeNotification(b, alert.Alert, key, reason, nil, now)
			writeTimer(b, alert.Alert, tick.Timer)
		case alerting.ReasonEscalated:
			p.escalated++
			key, reason := driver.EscalationNotification(alert.ID, tick.Timer.Version, tick.Timer.Step)
			writeNotification(b, alert.Alert, key, reason, tick.Targets, now)
			writeTimer(b, alert.Alert, tick.Timer)
		case alerting.ReasonResolved:
			p.resolved++
			c, err := driver.ChangeStatus(alert.Alert, monitor.AlertResolved, 0, alerting.SystemActor, tick.Note, now)
			if err != nil {
				return p, err
			}
			writeChange(b, alert.Alert, &c)
			notifyOfChange(b, alert.Alert, &c)
		default:
			writeTimer(b, alert.Alert, tick.Timer)
		}
	}
	p.seen = len(found)
	return p, tx.SendBatch(ctx, b).Close()
}

// putOff postpones timers that could not be handled.
func (s *Store) putOff(ctx context.Context, due dueAlerts) error {
	return s.read(ctx, due.organization, func(b *pgx.Batch) {
		b.Queue(putOffTimers, due.organization, due.ids)
	})
}

const (
	readDue = `
WITH due AS MATERIALIZED (
	SELECT organization_id, id, timer_due FROM auditwarden_alerts WHERE timer_due <= now() ORDER BY timer_due LIMIT $1
)
SELECT organization_id, array_agg(id::text) FROM due GROUP BY organization_id ORDER BY min(timer_due)`

	lockDue = `
SELECT ` + timerColumns + `
FROM unnest($2::uuid[]) AS u (id)
CROSS JOIN LATERAL (
	SELECT ` + timersOf + ` FROM auditwarden_alerts AS a
	WHERE organization_id = $1 AND a.id = u.id AND timer_due <= now()
	FOR NO KEY UPDATE SKIP LOCKED
) AS a`

	putOffTimers = `
WITH broken AS (
	SELECT id FROM auditwarden_alerts
	WHERE organization_id = $1 AND id = ANY ($2::uuid[]) AND timer_due <= now()
	FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE auditwarden_alerts AS a SET timer_due = now() + interval '1 minute' FROM broken WHERE a.organization_id = $1 AND a.id = broken.id`
)
