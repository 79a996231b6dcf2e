package pgalerts_test

import (
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/testservice"
)

// newRole makes a role that is no superuser, and returns its name and a function
// that makes a URL the role's.
func newRole(t testing.TB, server, options string) (name string, as func(url string) string) {
	t.Helper()
	name = "r" + strings.ToLower(rand.Text())
	pool := testservice.PostgresPool(t, server)
	run(t, pool, `CREATE ROLE `+name+` LOGIN `+options)
	t.Cleanup(func() { run(t, pool, `DROP OWNED BY `+name+`; DROP ROLE `+name) })
	return name, func(text string) string {
		u, err := url.Parse(text)
		require.NoError(t, err)
		u.User = url.User(name)
		return u.String()
	}
}

func schemaName(t testing.TB, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u.Query().Get("search_path")
}

// secured returns the URL of a schema with row-level security, for a role that
// owns its tables or has been granted what a store needs.
func secured(t testing.TB, server string, owner bool) string {
	t.Helper()
	role, as := newRole(t, server, "")
	schema := testservice.PostgresSchema(t, server)
	admin, migrator := testservice.PostgresPool(t, schema), testservice.PostgresPool(t, schema)
	if owner {
		run(t, admin, `GRANT USAGE, CREATE ON SCHEMA `+schemaName(t, schema)+` TO `+role)
		migrator = testservice.PostgresPool(t, as(schema))
	}
	require.NoError(t, pgalerts.Migrate(t.Context(), migrator))
	require.NoError(t, pgalerts.SetRowSecurity(t.Context(), migrator, true))
	if !owner {
		run(t, admin, `GRANT USAGE ON SCHEMA `+schemaName(t, schema)+` TO `+role)
		run(t, admin, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA `+schemaName(t, schema)+` TO `+role)
	}
	return as(schema)
}

// Nothing changes for a store when the server checks its tenants.
func testStoreWithRowSecurity(t *testing.T, server string) {
	url := secured(t, server, false)
	testStore(t, testservice.PostgresPool(t, testservice.WithParameter(t, server, "search_path", schemaName(t, url))), url)
}

func testRowSecurity(t *testing.T, server string) {
	for name, owner := range map[string]bool{"owner": true, "other role": false} {
		t.Run(name, func(t *testing.T) {
			pool := testservice.PostgresPool(t, secured(t, server, owner))
			s := newStore(t, pool, nil)
			put(t, s,
				alertingtest.Occurrence("acme", "mallory", "e1", at(0)),
				alertingtest.Occurrence("other", "eve", "e2", at(0)),
				alertingtest.Occurrence("other", "trudy", "e3", at(0)))
			for _, organization := range []string{"acme", "other"} {
				_, err := s.SaveSettings(t.Context(), organization, alerting.Settings{}, "ann")
				require.NoError(t, err)
			}
			for table, theirs := range map[string]int{
				"auditwarden_alerts": 2, "auditwarden_alert_history": 2, "auditwarden_alert_occurrences": 2,
				"auditwarden_alert_outbox": 2, "auditwarden_alert_settings": 1, "auditwarden_reference_alerts": 2,
			} {
				want := map[string]int{"": 0, "other": theirs, "nobody": 0, "*": 0}
				for organization, n := range want {
					assert.Equal(t, n, visible(t, pool, organization, table), "rows of %s that %q sees", table, organization)
				}
			}
			for statement, organizations := range map[string][]string{
				`INSERT INTO auditwarden_alert_settings VALUES ('new', 1, '{}')`: {"other", alerting.AllOrganizations},
				`UPDATE auditwarden_alert_settings SET organization_id = 'new'`:  {"other", alerting.AllOrganizations},
				`UPDATE auditwarden_alert_settings SET version = 2`:              {alerting.AllOrganizations},
				`UPDATE auditwarden_alerts SET title = ''`:                       {alerting.AllOrganizations},
				`UPDATE auditwarden_alert_history SET note = ''`:                 {alerting.AllOrganizations},
				`UPDATE auditwarden_alert_occurrences SET occurrences = 2`:       {alerting.AllOrganizations},
				`UPDATE auditwarden_alert_outbox SET organization_id = 'new'`:    {"other"},
			} {
				for _, organization := range organizations {
					err := as(t, pool, organization, func(tx pgx.Tx) error {
						_, err := tx.Exec(t.Context(), statement)
						return err
					})
					requireCode(t, "42501", err, "%s for %q", statement, organization)
				}
			}
			// Only the outbox is written for all at once.
			ns, err := s.ClaimNotifications(t.Context(), "pager", pager(), nil, 10, time.Minute)
			require.NoError(t, err)
			assert.Len(t, ns, 3)
			n, err := s.Redrive(t.Context(), alerting.AllOrganizations, "pager")
			require.NoError(t, err)
			assert.Zero(t, n)
		})
	}
}

// as calls f in a transaction of an organization's.
func as(t *testing.T, pool *pgxpool.Pool, organization string, f func(pgx.Tx) error) error {
	t.Helper()
	return pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		setting, value := "app.organization", organization
		if organization == alerting.AllOrganizations {
			setting, value = "app.all_organizations", "on"
		}
		if organization != "" {
			if _, err := tx.Exec(t.Context(), `SELECT set_config($1, $2, true)`, setting, value); err != nil {
				return err
			}
		}
		return f(tx)
	})
}

func visible(t *testing.T, pool *pgxpool.Pool, organization, table string) (n int) {
	t.Helper()
	err := as(t, pool, organization, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()).Scan(&n)
	})
	require.NoError(t, err)
	return n
}

func testRowSecurityOff(t *testing.T, server string) {
	url := secured(t, server, true)
	pool := testservice.PostgresPool(t, url)
	put(t, newStore(t, pool, nil), occurrence("mallory", "e1", 0))
	for _, step := range []struct {
		on   bool
		want int
	}{{false, 1}, {true, 0}, {true, 0}, {false, 1}} {
		require.NoError(t, pgalerts.SetRowSecurity(t.Context(), pool, step.on))
		assert.Equal(t, step.want, visible(t, pool, "", "auditwarden_alerts"), "row security %v", step.on)
	}
}
