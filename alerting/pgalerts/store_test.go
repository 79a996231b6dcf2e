package pgalerts_test

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/internal/testservice"
)

// harness makes stores in one schema each. Reopen is a new pool and store on the
// same schema; wrap is what is put in front of a store.
func harness(server string, wrap func(*testing.T, alerting.Store) alerting.Store) alertingtest.StoreHarness {
	var schemas sync.Map // of stores
	open := func(t *testing.T, pool *pgxpool.Pool) alerting.Store {
		s := wrap(t, newStore(t, pool, nil))
		schemas.Store(s, pool.Config().ConnString())
		return s
	}
	return alertingtest.StoreHarness{
		New: func(t *testing.T) alerting.Store { return open(t, migrated(t, server)) },
		Reopen: func(t *testing.T, s alerting.Store) alerting.Store {
			schema, _ := schemas.Load(s)
			return open(t, testservice.PostgresPool(t, schema.(string)))
		},
	}
}

func testStore(t *testing.T, server string) {
	alertingtest.RunStore(t, harness(server, func(_ *testing.T, s alerting.Store) alerting.Store { return s }))
}

func testManager(t *testing.T, server string) {
	alertingtest.RunStore(t, harness(server, func(t *testing.T, s alerting.Store) alerting.Store {
		m, err := alerting.NewManager(s, nil)
		require.NoError(t, err)
		return m
	}))
}
