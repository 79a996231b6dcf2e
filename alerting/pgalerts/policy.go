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

// readPolicy reads the policy of an organization. It is the default policy if
// there are no settings, and with an error if they cannot be used.
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

// into returns what readPolicy calls for a policy that there must be.
func into(policy **driver.Policy) func(*driver.Policy, error) error {
	return func(p *driver.Policy, err error) error {
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
