package memalerts

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/alerting/claims"
)

// Claims are a [claims.Set] in memory, for managers of one process that share a
// store, and for tests. They are safe for concurrent use.
type Claims struct {
	mu   sync.Mutex
	made map[claims.AlertKey]claim
	room int // how many may be made before those that have ended are removed
}

type claim struct {
	claims.Claim
	until time.Time
}

var _ claims.Set = (*Claims)(nil)

// NewClaims returns claims of nothing.
func NewClaims() *Claims { return &Claims{made: map[claims.AlertKey]claim{}} }

// Lookup implements [claims.Set].
func (c *Claims) Lookup(ctx context.Context, keys []claims.AlertKey) ([]claims.Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memalerts: look up claims: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []claims.Claim
	for _, key := range keys {
		if m, ok := c.made[key]; ok && time.Now().Before(m.until) {
			found = append(found, m.Claim)
		}
	}
	return found, nil
}

// Claim implements [claims.Set].
func (c *Claims) Claim(ctx context.Context, made []claims.Claim, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memalerts: make claims: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if len(c.made) >= c.room {
		maps.DeleteFunc(c.made, func(_ claims.AlertKey, m claim) bool { return !now.Before(m.until) })
		c.room = 2*len(c.made) + 100
	}
	for _, m := range made {
		c.made[m.AlertKey] = claim{m, now.Add(ttl)}
	}
	return nil
}

// Release implements [claims.Set].
func (c *Claims) Release(ctx context.Context, key claims.AlertKey) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memalerts: release claim: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.made, key)
	return nil
}
