package pgalerts

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
)

// Settings implements [alerting.Store].
func (s *Store) Settings(ctx context.Context, organization string) (alerting.Settings, error) {
	var policy *alerting.Policy
	err := checkOrganization(organization)
	if err == nil {
		err = s.read(ctx, organization, func(b *pgx.Batch) { readPolicy(b, organization, into(&policy)) })
	}
	if err != nil {
		return alerting.Settings{}, fmt.Errorf("pgalerts: read settings: %w", err)
	}
	return policy.Settings(), nil
}

// SaveSettings implements [alerting.Store].
func (s *Store) SaveSettings(
	ctx context.Context, organization string, settings alerting.Settings, by string,
) (alerting.Settings, error) {
	var saved alerting.Settings // also by an attempt whose commit got no answer
	err := checkOrganization(organization)
	if err == nil {
		err = s.write(ctx, func(tx pgx.Tx) error {
			return saveSettings(ctx, tx, organization, settings, by, &saved)
		})
	}
	if err != nil {
		return alerting.Settings{}, fmt.Errorf("pgalerts: save settings: %w", err)
	}
	return saved, nil
}

// saveSettings is one attempt.
func saveSettings(
	ctx context.Context, tx pgx.Tx, organization string, settings alerting.Settings, by string, saved *alerting.Settings,
) error {
	var now time.Time
	var policy *alerting.Policy
	b := &pgx.Batch{}
	lockSettings(b, lockAlone, organization)
	scope(b, organization)
	readPolicy(b, organization, into(&policy))
	readClock(b, &now)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	current := policy.Settings()
	if saved.Version != 0 && current.Version == saved.Version &&
		current.UpdatedAt.Equal(saved.UpdatedAt) && current.UpdatedBy == saved.UpdatedBy {
		return nil // the commit took effect
	}
	next, err := policy.Save(settings, by, now)
	if err != nil {
		return err
	}
	s := next.Settings()
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	b = &pgx.Batch{}
	b.Queue(writeSettings, organization, s.Version, string(text))
	if !reflect.DeepEqual(s.Escalations, current.Escalations) || !reflect.DeepEqual(s.AutoResolve, current.AutoResolve) {
		b.Queue(makeTimersDue, organization, now)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	*saved = s
	return nil
}

const (
	writeSettings = `
INSERT INTO auditwarden_alert_settings (organization_id, version, settings)
VALUES ($1, $2, $3)
ON CONFLICT (organization_id) DO UPDATE SET version = excluded.version, settings = excluded.settings`

	// Advance sets them again.
	makeTimersDue = `UPDATE auditwarden_alerts SET timer_due = $2 WHERE organization_id = $1 AND resolved_at IS NULL`
)

// readPolicy reads the policy of an organization. It is the default policy if
// there are no settings, and with an error if they cannot be used.
func readPolicy(b *pgx.Batch, organization string, f func(*alerting.Policy, error) error) {
	b.Queue(readSettings, organization).Query(func(rows pgx.Rows) error {
		texts, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil {
			return err
		}
		var s alerting.Settings
		for _, text := range texts { // there is at most one
			err = json.Unmarshal(text, &s)
		}
		p := alerting.DefaultPolicy()
		if err == nil && len(texts) > 0 {
			p, err = s.Policy()
		}
		if err != nil {
			return f(alerting.DefaultPolicy(), fmt.Errorf("settings of %.40q: %w", organization, err))
		}
		return f(p, nil)
	})
}

const readSettings = `SELECT settings FROM auditwarden_alert_settings WHERE organization_id = $1`

// into returns what readPolicy calls for a policy that there must be.
func into(policy **alerting.Policy) func(*alerting.Policy, error) error {
	return func(p *alerting.Policy, err error) error {
		*policy = p
		return err
	}
}

// settingsLocks is the number of locks that the settings of all organizations
// share. A server has room for some thousands.
const settingsLocks = 64

// lockSettings locks the settings of organizations until the transaction ends.
// Those who read them to set timers share the lock. Who saves settings has it
// alone, and so sees every alert whose timer is not as they want it.
//
// It must be the transaction's first lock.
func lockSettings(b *pgx.Batch, lock string, organizations ...string) {
	numbers := column(organizations, func(organization string) int32 {
		h := fnv.New32a()
		h.Write([]byte(organization))
		return int32(h.Sum32() % settingsLocks)
	})
	slices.Sort(numbers) // nobody waits in a circle
	b.Queue(lock, slices.Compact(numbers))
}

const (
	lockShared = `SELECT pg_advisory_xact_lock_shared('auditwarden_alert_settings'::regclass::int, n) FROM unnest($1::int[]) AS u (n)`
	lockAlone  = `SELECT pg_advisory_xact_lock('auditwarden_alert_settings'::regclass::int, n) FROM unnest($1::int[]) AS u (n)`
)
