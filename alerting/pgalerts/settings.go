package pgalerts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Settings implements [alerting.Store].
func (s *Store) Settings(ctx context.Context, organization string) (alerting.Settings, error) {
	var policy *alerting.Policy
	err := checkOrganization(organization)
	if err == nil {
		err = s.read(ctx, organization, func(b *pgx.Batch) { readPolicy(b, organization, &policy) })
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
	scope(b, organization)
	readPolicy(b, organization, &policy)
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
	b.Queue(writeSettings, organization, s.Version, string(text)).Exec(func(written pgconn.CommandTag) error {
		if written.RowsAffected() == 0 {
			return fmt.Errorf("saved by somebody else meanwhile: %w", monitor.ErrConflict)
		}
		return nil
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	*saved = s
	return nil
}

const writeSettings = `
INSERT INTO auditwarden_alert_settings AS s (organization_id, version, settings)
VALUES ($1, $2, $3)
ON CONFLICT (organization_id) DO UPDATE SET version = excluded.version, settings = excluded.settings
WHERE s.version = excluded.version - 1`
