package pgalerts_test

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/monitor"
)

// The host owns the pool and says when to migrate. Without a server there is no
// output.
func Example() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	if err := pgalerts.Migrate(ctx, pool); err != nil {
		fmt.Println(err)
		return
	}

	store, err := pgalerts.New(pool, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	alerts, err := alerting.NewManager(store, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := monitor.New(monitor.Config{AllowUnverified: true, Alerts: alerts})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Run(ctx))
}

// A service that does not trust itself to keep tenants apart has the server do
// it. It connects with a role that is no superuser, and that needs to own
// nothing.
func ExampleSetRowSecurity() {
	ctx := context.Background()
	owner, err := pgxpool.New(ctx, os.Getenv("OWNER_DATABASE_URL"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer owner.Close()
	if err := pgalerts.Migrate(ctx, owner); err != nil {
		fmt.Println(err)
		return
	}
	if err := pgalerts.SetRowSecurity(ctx, owner, true); err != nil {
		fmt.Println(err)
		return
	}
}
