package pgalerts

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
)

// readPolicy queues a query for the policy of an organization, and calls f with it.
// If the settings cannot be used, f gets the default policy and an error.
func readPolicy(b *pgx.Batch, organization string, f func(*driver.Policy, error) error) {
	b.Queue(readSettings, organization).Query(func(rows pgx.Rows) error {
		texts, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil {
			return err
		}
		if len(texts) == 0 {
			return f(driver.DefaultPolicy(), nil)
		}
		p, err := parsePolicy(organization, texts[0])
		return f(p, err)
	})
}

// parsePolicy returns the policy of stored settings. If they cannot be used, it returns
// the default policy and an error.
func parsePolicy(organization string, text []byte) (*driver.Policy, error) {
	var s alerting.Settings
	err := json.Unmarshal(text, &s)
	if errors.Is(err, alerting.ErrUnknownMember) {
		err = nil // an instance of a later release has saved it
	}
	if err == nil {
		var p *driver.Policy
		if p, err = driver.NewPolicy(s); err == nil {
			return p, nil
		}
	}
	return driver.DefaultPolicy(), fmt.Errorf("settings of %.40q: %w", organization, err)
}

const readSettings = `SELECT settings FROM auditwarden_alert_settings WHERE organization_id = $1`

// into returns a callback for readPolicy that fails if settings cannot be used.
func into(policy **driver.Policy) func(*driver.Policy, error) error {
	return func(p *driver.Policy, err error) error {
		*policy = p
		return err
	}
}

// startDeciding gives the transaction its number before it reads the settings by which
// it sets timers. A sweep must know which transactions may still set timers by
// settings that have been replaced.
func startDeciding(b *pgx.Batch) { b.Queue(`SELECT pg_current_xact_id()`) }
