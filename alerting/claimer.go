package alerting

import (
	"context"
	"iter"
	"maps"
	"runtime/debug"
	"time"

	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/monitor"
)

const (
	claimTimeout = 100 * time.Millisecond // per call; a slower call would save no time
	claimPause   = 5 * time.Second        // after a call that failed
	// maxClaims is the number of alerts in a call, so that it does not take too long
	// whatever a single organization causes. The others go without a claim.
	maxClaims = 1000
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
		found, err = c.claims.Lookup(ctx, firstOf(maps.Keys(keys)))
		return err
	})
	return found
}

// firstOf returns the first maxClaims values.
func firstOf[T any](all iter.Seq[T]) (first []T) {
	for v := range all {
		if first = append(first, v); len(first) == maxClaims {
			break
		}
	}
	return first
}

// claim claims the alerts that a call to the store opened or found open. The
// dispositions may be nil.
func (c *claimer) claim(ctx context.Context, os []*monitor.Occurrence, ds []monitor.Disposition) {
	open := map[claims.AlertKey]claims.Claim{}
	for i, d := range ds {
		if d.Stored == monitor.StoredNew || d.Stored == monitor.StoredRepeat {
			key := keyOf(os[i])
			open[key] = claims.Claim{
				AlertKey: key, AlertID: d.AlertID, Severity: max(open[key].Severity, os[i].Finding.Severity),
			}
		}
	}
	if len(open) > 0 {
		c.try(ctx, func(ctx context.Context) error {
			return c.claims.Claim(ctx, firstOf(maps.Values(open)), c.ttl)
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
	if c.breaker.Open(time.Now()) {
		return
	}
	brief, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	err := guarded(func() error { return f(brief) })
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

// guarded calls f, and converts a panic to an error.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &monitor.PanicError{Where: "claims", Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
