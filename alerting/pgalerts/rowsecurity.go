package pgalerts

import (
	"context"
	"fmt"

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
	statements := rowSecurityOff
	if on {
		statements = rowSecurityOn
	}
	if _, err := pool.Exec(ctx, statements); err != nil {
		return fmt.Errorf("pgalerts: set row security: %w", err)
	}
	return nil
}

// Each of these is one transaction.
const (
	rowSecurityOn = `
ALTER TABLE auditwarden_alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE auditwarden_alert_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE auditwarden_alert_occurrences ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE auditwarden_alert_outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE auditwarden_alert_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;`
	rowSecurityOff = `
ALTER TABLE auditwarden_alerts DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE auditwarden_alert_history DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE auditwarden_alert_occurrences DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE auditwarden_alert_outbox DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE auditwarden_alert_settings DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;`
)
