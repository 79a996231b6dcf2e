package claims_test

import (
	"context"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
)

// none is a set that nobody shares: every alert is looked up in the store.
type none struct{}

func (none) Lookup(context.Context, []claims.AlertKey) ([]claims.Claim, error) { return nil, nil }

func (none) Claim(_ context.Context, made []claims.Claim, ttl time.Duration) error {
	for _, c := range made {
		fmt.Println(c.Organization, c.Severity, "is open for", ttl)
	}
	return nil
}

func (none) Release(context.Context, claims.AlertKey) error { return nil }

func Example() {
	_, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{Claims: none{}})
	fmt.Println(err)
	// Output: <nil>
}
