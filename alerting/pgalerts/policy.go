package pgalerts

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"

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
		var s alerting.Settings
		for _, text := range texts { // there is at most one
			err = json.Unmarshal(text, &s)
		}
		p := driver.DefaultPolicy()
		if err == nil && len(texts) > 0 {
			p, err = driver.NewPolicy(s)
		}
		if err != nil {
			return f(driver.DefaultPolicy(), fmt.Errorf("settings of %.40q: %w", organization, err))
		}
		return f(p, nil)
	})
}

const readSettings = `SELECT settings FROM auditwarden_alert_settings WHERE organization_id = $1`

// into returns a callback for readPolicy that fails if settings cannot be used.
func into(policy **driver.Policy) func(*driver.Policy, error) error {
	return func(p *driver.Policy, err error) error {
		*policy = p
		return err
	}
}

// settingsLocks is the number of advisory locks that all organizations share. A
// server has room for a few thousand.
const settingsLocks = 64

// lockSettings queues a lock on the settings of organizations until the end of the
// transaction. Transactions that set timers share the lock. One that saves settings
// holds it alone, so that it sees all timers that were set by the old ones.
//
// It must be the first lock of a transaction.
func lockSettings(b *pgx.Batch, lock string, organizations ...string) {
	numbers := column(organizations, func(organization string) int32 {
		h := fnv.New32a()
		h.Write([]byte(organization))
		return int32(h.Sum32() % settingsLocks)
	})
	slices.Sort(numbers) // the same order everywhere avoids deadlocks
	b.Queue(lock, slices.Compact(numbers))
}

const (
	lockShared = `SELECT pg_advisory_xact_lock_shared('auditwarden_alert_settings'::regclass::int, n) FROM unnest($1::int[]) AS u (n)`
	lockAlone  = `SELECT pg_advisory_xact_lock('auditwarden_alert_settings'::regclass::int, n) FROM unnest($1::int[]) AS u (n)`
)
