package alerting

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/monitor"
)

const (
	claimTimeout = 100 * time.Millisecond // per call; a slower call would save no time
	claimPause   = 5 * time.Second        // after a call that failed
)

// A claimer calls a [claims.Set], and pauses for a while after a call fails.
type claimer struct {
	claims  claims.Set
	ttl     time.Duration
	breaker breaker.Breaker
	calls   monitor.HealthTracker
}

func newClaimer(set claims.Set, ttl time.Duration) *claimer {
	return &claimer{claims: set, ttl: ttl, breaker: breaker.Breaker{Threshold: 1, Pause: claimPause}}
}

// keyOf returns the key of the alert that an occurrence belongs to.
func keyOf(o *monitor.Occurrence) claims.AlertKey {
	return claims.AlertKey{Organization: o.Finding.OrganizationID, Fingerprint: o.Fingerprint}
}

// lookup returns the claims for these keys, or none after a failure.
func (c *claimer) lookup(ctx context.Context, keys map[claims.AlertKey]bool) (found []claims.Claim) {
	if len(keys) == 0 {
		return nil
	}
	c.try(ctx, func(ctx context.Context) (err error) {
		found, err = c.claims.Lookup(ctx, slices.Collect(maps.Keys(keys)))
		return err
	})
	return found
}

// claim claims the alerts that a call to the store opened or found open.
func (c *claimer) claim(ctx context.Context, os []*monitor.Occurrence, ds []monitor.Disposition) {
	open := map[claims.AlertKey]claims.Claim{}
	for i, o := range os {
		if ds[i].Stored == monitor.StoredNew || ds[i].Stored == monitor.StoredRepeat {
			key := keyOf(o)
			open[key] = claims.Claim{
				AlertKey: key, AlertID: ds[i].AlertID, Severity: max(open[key].Severity, o.Finding.Severity),
			}
		}
	}
	if len(open) > 0 {
		c.try(ctx, func(ctx context.Context) error {
			return c.claims.Claim(ctx, slices.Collect(maps.Values(open)), c.ttl)
		})
	}
}

// release removes the claim of an alert that was closed.
func (c *claimer) release(ctx context.Context, a *monitor.Alert) {
	c.try(ctx, func(ctx context.Context) error {
		return c.claims.Release(ctx, claims.AlertKey{Organization: a.OrganizationID, Fingerprint: a.Fingerprint})
	})
}

// try calls f, unless the breaker is open because a call has just failed.
func (c *claimer) try(ctx context.Context, f func(context.Context) error) {
	if c.breaker.Allow(1, time.Now()) == 0 {
		return
	}
	brief, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	err := f(brief)
	switch {
	case err == nil:
		c.breaker.Succeed()
	case ctx.Err() != nil:
		return // the caller canceled it, which says nothing about the claims
	default:
		c.breaker.Fail(0, time.Now())
	}
	c.calls.Note(ctx, err)
}
