package pgalerts_test

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/internal/testservice"
)

// harness makes stores in one schema each. Reopen is a new pool and store on the
// same schema.
func harness(server string) alertingtest.StoreHarness {
	var schemas sync.Map // of stores
	open := func(t *testing.T, pool *pgxpool.Pool) driver.Store {
		s := newStore(t, pool, nil)
		schemas.Store(s, pool.Config().ConnString())
		return s
	}
	return alertingtest.StoreHarness{
		New: func(t *testing.T) driver.Store { return open(t, migrated(t, server)) },
		Reopen: func(t *testing.T, s driver.Store) driver.Store {
			schema, _ := schemas.Load(s)
			return open(t, testservice.PostgresPool(t, schema.(string)))
		},
	}
}

func testStore(t *testing.T, server string) {
	alertingtest.RunStore(t, harness(server))
}
