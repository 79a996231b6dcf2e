package pgalerts

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
)

// Settings implements [driver.Store].
func (s *Store) Settings(ctx context.Context, organization string) (alerting.Settings, error) {
	var policy *driver.Policy
	err := checkOrganization(organization)
	if err == nil {
		err = s.read(ctx, organization, func(b *pgx.Batch) { readPolicy(b, organization, into(&policy)) })
	}
	if err != nil {
		return alerting.Settings{}, err
	}
	return policy.Settings(), nil
}

// SaveSettings implements [driver.Store].
func (s *Store) SaveSettings(
	ctx context.Context, organization string, settings alerting.Settings, by string,
) (alerting.Settings, error) {
	var saved alerting.Settings // by the last attempt, whose commit may have taken effect
	err := checkOrganization(organization)
	if err == nil {
		err = s.write(ctx, func(tx pgx.Tx) error {
			return saveSettings(ctx, tx, organization, settings, by, &saved)
		})
	}
	return saved, err
}

// saveSettings makes one attempt.
func saveSettings(
	ctx context.Context, tx pgx.Tx, organization string, settings alerting.Settings, by string, saved *alerting.Settings,
) error {
	var now time.Time
	var policy *driver.Policy
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

	// RunTimers recomputes them.
	makeTimersDue = `UPDATE auditwarden_alerts SET timer_due = $2 WHERE organization_id = $1 AND resolved_at IS NULL`
)
