package pgalerts

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// SetRowSecurity enables or disables row-level security, with which the server itself
// separates tenants. It is disabled by default, when only the store separates them.
// The pool's role must own the tables.
//
// When enabled, a statement can only read and write rows of the organization in the
// setting app.organization, which a [Store] sets in each transaction. If
// app.all_organizations is "on", it can read the rows of all organizations and write
// those of the outbox; a store sets it for alerting.AllOrganizations and for its own
// work on all organizations. This also applies to the table owner, but not to
// superusers and roles with BYPASSRLS, which a service should therefore not use.
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
