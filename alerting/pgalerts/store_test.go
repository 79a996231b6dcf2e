package pgalerts_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/internal/testservice"
)

// testStore runs the suite with stores at this URL. The owner empties the tables
// before each case.
func testStore(t *testing.T, owner *pgxpool.Pool, url string) {
	t.Helper()
	pool := testservice.PostgresPool(t, url)
	alertingtest.RunStore(t, alertingtest.StoreHarness{
		New: func(t *testing.T) driver.Store {
			run(t, owner, `TRUNCATE auditwarden_alerts, auditwarden_alert_settings CASCADE`)
			return newStore(t, pool, nil)
		},
		Reopen: func(t *testing.T, _ driver.Store) driver.Store {
			return newStore(t, testservice.PostgresPool(t, url), nil)
		},
	})
}
