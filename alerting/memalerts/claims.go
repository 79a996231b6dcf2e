package memalerts

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
)

// Claims are [alerting.Claims] in memory, for managers of one process that share a
// store, and for tests. They are safe for concurrent use.
type Claims struct {
	mu   sync.Mutex
	made map[alerting.Incident]made
}

type made struct {
	alerting.Claim
	until time.Time
}

var _ alerting.Claims = (*Claims)(nil)

// NewClaims returns claims of nothing.
func NewClaims() *Claims { return &Claims{made: map[alerting.Incident]made{}} }

// Lookup implements [alerting.Claims].
func (c *Claims) Lookup(ctx context.Context, incidents []alerting.Incident) ([]alerting.Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memalerts: look up claims: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var claims []alerting.Claim
	for _, i := range incidents {
		if m, ok := c.made[i]; ok && time.Now().Before(m.until) {
			claims = append(claims, m.Claim)
		}
	}
	return claims, nil
}

// Claim implements [alerting.Claims]. It also forgets the claims that have ended.
func (c *Claims) Claim(ctx context.Context, claims []alerting.Claim, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memalerts: make claims: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for i, m := range c.made {
		if !now.Before(m.until) {
			delete(c.made, i)
		}
	}
	for _, claim := range claims {
		c.made[claim.Incident] = made{claim, now.Add(ttl)}
	}
	return nil
}

// Release implements [alerting.Claims].
func (c *Claims) Release(ctx context.Context, incident alerting.Incident) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memalerts: release claim: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.made, incident)
	return nil
}
