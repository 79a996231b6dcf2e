package pgalerts_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/testservice"
)

// modes are the values of pgx's option default_query_exec_mode.
var modes = []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}

func inMode(t testing.TB, url, mode string) string {
	t.Helper()
	return testservice.WithParameter(t, url, "default_query_exec_mode", mode)
}

// A store does the same in every mode in which pgx sends statements.
func testModes(t *testing.T, server string) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			owner := migrated(t, inMode(t, server, mode))
			testStore(t, owner, owner.Config().ConnString())
			for name, test := range map[string]func(t *testing.T, server string){
				"HostileText": testHostileText, "LongOrganization": testLongOrganization, "Times": testTimes,
			} {
				t.Run(name, func(t *testing.T) { test(t, inMode(t, server, mode)) })
			}
		})
	}
}

// A store works through a pooler that gives every transaction another connection. If
// the pooler does not know named statements, the mode that needs them is refused with
// advice.
func testPooler(t *testing.T, server string) {
	pooler := testservice.PgBouncer(t, server)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			database := testservice.PostgresDatabase(t, server)
			url := inMode(t, pooler.URL(database), mode)
			if mode == "cache_statement" && !pooler.NamedStatements {
				testNoNamedStatements(t, url)
				return
			}
			require.NoError(t, pgalerts.Migrate(t.Context(), testservice.PostgresPool(t, url)))
			direct := testservice.PostgresPool(t, database)
			testStore(t, direct, url)
			// Nothing that a transaction set is left for the next one.
			pool := testservice.PostgresPool(t, url)
			for range 10 {
				for _, setting := range []string{"app.organization", "app.all_organizations"} {
					left := scan[string](t, pool, `SELECT coalesce(current_setting('`+setting+`', true), '')`)
					assert.Empty(t, left, setting)
				}
			}
			assert.Zero(t, scan[int](t, direct, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`), "locks that nobody releases")
		})
	}
}

func testNoNamedStatements(t *testing.T, url string) {
	t.Helper()
	first, second := testservice.PostgresPool(t, url), testservice.PostgresPool(t, url)
	require.NoError(t, pgalerts.Migrate(t.Context(), first))
	_, err := newStore(t, first, nil).Settings(t.Context(), "acme")
	require.NoError(t, err)
	_, err = newStore(t, second, nil).Settings(t.Context(), "acme") // on a connection with the statements of the first
	requireCode(t, "42P05", err)
	require.ErrorContains(t, err, "default_query_exec_mode")
}
