package pgalerts

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
)

// sweepChunk is the largest number of alerts whose timers one transaction computes.
const sweepChunk = 500

// A sweep computes the timers of an organization's open alerts again after its
// settings have changed. It goes through them by age, and its row of the settings says
// how far it has come, so that any instance can go on.
//
// A transaction that has read the old settings may set a timer behind the sweep. So
// there is a second pass once all transactions have ended that were running when the
// first began. It is repeated if it missed alerts that others had locked.
type sweep struct {
	policy *driver.Policy
	now    time.Time
	chunk  []place      // the next alerts
	locked []*openAlert // those that nobody else has locked

	// These are the state of the sweep in the settings.
	first   bool // it has just begun
	last    bool // this is the last pass
	missed  bool // this pass has missed alerts
	settled bool // the transactions have ended
}

// A place is that of an alert in the order of a sweep.
type place struct {
	created time.Time
	id      string
}

// sweepTimers makes one step of each sweep that is due, and reports whether there was
// one.
func (s *Store) sweepTimers(ctx context.Context) (more bool, errs []error) {
	var organizations []string
	err := s.read(ctx, alerting.AllOrganizations, func(b *pgx.Batch) {
		b.Queue(readSweeps).Query(func(rows pgx.Rows) (err error) {
			organizations, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	})
	if err != nil {
		return false, []error{err}
	}
	for _, organization := range organizations {
		err := s.write(ctx, func(tx pgx.Tx) error { return sweepOrganization(ctx, tx, organization) })
		if err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("organization %.40q: %w", organization, err))
		if ctx.Err() != nil || passing(err) {
			return false, errs
		}
		if err := s.read(ctx, organization, func(b *pgx.Batch) { b.Queue(putOffSweep, organization) }); err != nil {
			errs = append(errs, err)
		}
	}
	return len(organizations) > 0, errs
}

// sweepOrganization makes one step, unless another instance is making it.
func sweepOrganization(ctx context.Context, tx pgx.Tx, organization string) error {
	var w sweep
	found := false
	b := &pgx.Batch{}
	scope(b, organization)
	b.Queue(lockSweep, organization).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&w.first, &w.last, &w.missed, &w.settled}, func() error { found = true; return nil })
		return err
	})
	readPolicy(b, organization, into(&w.policy))
	b.Queue(`SELECT next.created_at, next.id FROM `+nextSwept, organization, sweepChunk).Query(func(rows pgx.Rows) (err error) {
		w.chunk, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p place, err error) {
			err = row.Scan(&p.created, &p.id)
			return p, err
		})
		return err
	})
	b.Queue(lockSwept, organization, sweepChunk).Query(func(rows pgx.Rows) (err error) {
		w.locked, err = pgx.CollectRows(rows, scanTimer)
		return err
	})
	readClock(b, &w.now)
	if err := tx.SendBatch(ctx, b).Close(); err != nil || !found {
		return err
	}
	b = &pgx.Batch{}
	w.write(b, organization)
	return tx.SendBatch(ctx, b).Close()
}

// write queues the new timers and the new state.
func (w *sweep) write(b *pgx.Batch, organization string) {
	var changed []*openAlert
	for _, alert := range w.locked {
		due := w.policy.Due(alert.Alert, alert.timer, w.now)
		if !due.Equal(alert.timer.Due) {
			alert.timer.Due = due
			changed = append(changed, alert)
		}
	}
	if len(changed) > 0 {
		b.Queue(updateSwept, organization, column(changed, (*openAlert).id), column(changed, (*openAlert).timerDue))
	}
	missed := w.missed || len(w.locked) < len(w.chunk)
	switch {
	case w.first || len(w.chunk) == sweepChunk:
		var last place
		if len(w.chunk) > 0 {
			last = w.chunk[len(w.chunk)-1]
		}
		b.Queue(advanceSweep, organization, orNever(last.created), null(last.id, last.created), missed)
	case w.last && !missed:
		b.Queue(endSweep, organization)
	case w.settled:
		b.Queue(repeatSweep, organization, w.last)
	default:
		b.Queue(delaySweep, organization)
	}
}

const (
	readSweeps = `
SELECT organization_id FROM auditwarden_alert_settings WHERE sweep_due <= now() ORDER BY sweep_due LIMIT 100`

	// The horizon of the last pass is 0.
	lockSweep = `
SELECT sweep_horizon IS NULL, coalesce(sweep_horizon = '0', false), sweep_missed,
	coalesce(pg_snapshot_xmin(pg_current_snapshot()) >= sweep_horizon, false)
FROM auditwarden_alert_settings
WHERE organization_id = $1 AND sweep_due <= now()
FOR NO KEY UPDATE SKIP LOCKED`

	nextSwept = `auditwarden_alert_settings AS s CROSS JOIN LATERAL (
	SELECT created_at, id FROM auditwarden_alerts
	WHERE organization_id = $1 AND status IN ('active', 'acknowledged') AND (created_at, id) > (
		coalesce(s.swept_created, '-infinity'), coalesce(s.swept_id, '00000000-0000-0000-0000-000000000000'))
	ORDER BY created_at, id
	LIMIT $2
) AS next
WHERE s.organization_id = $1`

	// One that is closed meanwhile has no timer.
	lockSwept = `
SELECT ` + timerColumns + ` FROM (SELECT next.id FROM ` + nextSwept + ` OFFSET 0) AS u
CROSS JOIN LATERAL (
	SELECT ` + timersOf + ` FROM auditwarden_alerts AS a
	WHERE organization_id = $1 AND a.id = u.id
	FOR NO KEY UPDATE SKIP LOCKED
) AS a`

	updateSwept = `
UPDATE auditwarden_alerts AS a SET timer_due = u.timer_due
FROM unnest($2::uuid[], $3::timestamptz[]) AS u (id, timer_due)
WHERE a.organization_id = $1 AND a.id = u.id`

	theSweep = ` WHERE organization_id = $1`

	// The horizon is after all transactions that may have read the old settings.
	advanceSweep = `
UPDATE auditwarden_alert_settings
SET sweep_due = now(), swept_created = coalesce($2, swept_created), swept_id = coalesce($3::uuid, swept_id), sweep_missed = $4,
	sweep_horizon = coalesce(sweep_horizon, pg_snapshot_xmax(pg_current_snapshot()))` + theSweep

	repeatSweep = `
UPDATE auditwarden_alert_settings
SET sweep_due = now() + CASE WHEN $2 THEN interval '1 second' ELSE interval '0' END,
	swept_created = NULL, swept_id = NULL, sweep_missed = false, sweep_horizon = '0'` + theSweep

	endSweep    = `UPDATE auditwarden_alert_settings SET sweep_due = NULL` + theSweep
	delaySweep  = `UPDATE auditwarden_alert_settings SET sweep_due = now() + interval '1 second'` + theSweep
	putOffSweep = `UPDATE auditwarden_alert_settings SET sweep_due = now() + interval '1 minute'` + theSweep
)
