package pgalerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
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

// AllSettings implements [driver.Store]. It reads 1,000 organizations at a time.
func (s *Store) AllSettings(ctx context.Context) (map[string]alerting.Settings, error) {
	all := map[string]alerting.Settings{}
	var broken []error
	for last, more := "", true; more; {
		var page []settingsRow
		err := s.read(ctx, alerting.AllOrganizations, func(b *pgx.Batch) {
			b.Queue(readAllSettings, last, settingsPage).Query(func(rows pgx.Rows) (err error) {
				page, err = pgx.CollectRows(rows, pgx.RowToStructByPos[settingsRow])
				return err
			})
		})
		if err != nil {
			return all, err
		}
		for _, row := range page {
			p, err := parsePolicy(row.Organization, row.Text)
			if err != nil {
				broken = append(broken, err)
				continue
			}
			all[row.Organization] = p.Settings()
		}
		if more = len(page) == settingsPage; more {
			last = page[len(page)-1].Organization
		}
	}
	return all, errors.Join(broken...)
}

type settingsRow struct {
	Organization string
	Text         []byte
}

// settingsPage is the number of organizations whose settings are read at a time.
const settingsPage = 1000

const readAllSettings = `
SELECT organization_id, settings FROM auditwarden_alert_settings
WHERE organization_id > $1
ORDER BY organization_id
LIMIT $2`

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
	timers := !reflect.DeepEqual(timing(s), timing(current))
	b = &pgx.Batch{}
	b.Queue(writeSettings, organization, s.Version, string(text), timers).Exec(func(written pgconn.CommandTag) error {
		if written.RowsAffected() == 0 {
			return fmt.Errorf("somebody else saved settings at the same time: %w", monitor.ErrConflict)
		}
		return nil
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	*saved = s
	return nil
}

// timing returns the settings on which timers depend.
func timing(s alerting.Settings) alerting.Settings {
	return alerting.Settings{
		Suppressions: s.Suppressions, Silences: s.Silences, Escalations: s.Escalations, AutoResolve: s.AutoResolve,
		Damping: s.Damping,
	}
}

// writeSettings writes settings unless somebody else has saved others. If the timers
// depend on the change, a sweep begins.
const writeSettings = `
INSERT INTO auditwarden_alert_settings AS s (organization_id, version, settings, sweep_due)
VALUES ($1, $2, $3, CASE WHEN $4 THEN clock_timestamp() END)
ON CONFLICT (organization_id) DO UPDATE SET version = excluded.version, settings = excluded.settings,
	sweep_due = CASE WHEN $4 THEN excluded.sweep_due ELSE s.sweep_due END,
	swept_created = CASE WHEN $4 THEN NULL ELSE s.swept_created END,
	swept_id = CASE WHEN $4 THEN NULL ELSE s.swept_id END,
	sweep_missed = s.sweep_missed AND NOT $4,
	sweep_horizon = CASE WHEN $4 THEN NULL ELSE s.sweep_horizon END
WHERE s.version = excluded.version - 1`
