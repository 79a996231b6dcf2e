package pgalerts

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// SetRowSecurity makes the server itself keep tenants apart, or leave it to the
// store, which is the default. The pool's role must own the tables.
//
// When it is on, every statement sees and writes only rows of the organization
// in the setting app.organization, which a [Store] sets with each of its
// transactions. When app.all_organizations is "on" it sees those of all
// organizations, and of these it writes the outbox only; a store sets that for
// alerting.AllOrganizations and where it works for all of them. The table owner is no exception; superusers and
// roles with BYPASSRLS are, so a service should use neither.
func SetRowSecurity(ctx context.Context, pool *pgxpool.Pool, on bool) error {
	if pool == nil {
		return fmt.Errorf("pgalerts: set row security: %w", errNoPool)
	}
	change := "DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;\n"
	if on {
		change = "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;\n"
	}
	var statements strings.Builder // one transaction
	for _, table := range []string{"alerts", "alert_history", "alert_occurrences", "alert_outbox", "alert_settings"} {
		statements.WriteString("ALTER TABLE auditwarden_" + table + " " + change)
	}
	if _, err := pool.Exec(ctx, statements.String()); err != nil {
		return fmt.Errorf("pgalerts: set row security: %w", err)
	}
	return nil
}
