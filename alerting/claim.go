package alerting

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/monitor"
)

// Claims tell the instances that share a store which alerts are open, faster than
// the store does. They save work and decide nothing: an occurrence of an alert
// that is claimed is held back as a repeat, and whether it is one the store says
// when it is flushed. What is claimed may be wrong for as long as a claim lasts,
// which is two coalescing intervals; what is not claimed costs a call to the
// store. Losing all claims, or whoever made one, loses nothing.
//
// An implementation must be safe for concurrent use; redisclaim has one.
type Claims interface {
	// Lookup returns the claims of those incidents of which there is one, in any
	// order.
	Lookup(ctx context.Context, incidents []Incident) ([]Claim, error)
	// Claim makes claims, or replaces them, for that long.
	Claim(ctx context.Context, claims []Claim, ttl time.Duration) error
	// Release ends the claim of an incident, if there is one.
	Release(ctx context.Context, incident Incident) error
}

// An Incident is what has at most one open alert.
type Incident struct {
	Organization string
	Fingerprint  monitor.Fingerprint
}

// A Claim says that an alert is open, and at least that severe.
type Claim struct {
	Incident
	AlertID  string
	Severity monitor.Severity
}

const (
	claimTimeout = 100 * time.Millisecond // for a call; a store is slower than that
	claimPause   = 5 * time.Second        // after a call that failed
)

// A claimer uses claims as long as they work.
type claimer struct {
	claims Claims
	ttl    time.Duration

	breaker breaker.Breaker
	calls   monitor.HealthTracker
}

// lookup returns what is claimed of incidents.
func (c *claimer) lookup(ctx context.Context, incidents map[Incident]bool) (claims []Claim) {
	if len(incidents) == 0 {
		return nil
	}
	c.try(ctx, func(ctx context.Context) (err error) {
		claims, err = c.claims.Lookup(ctx, slices.Collect(maps.Keys(incidents)))
		return err
	})
	return claims
}

// claim claims the alerts that a call to the store found open.
func (c *claimer) claim(ctx context.Context, os []*monitor.Occurrence, ds []monitor.Disposition) {
	open := map[Incident]Claim{}
	for i, o := range os {
		if ds[i].Stored == monitor.StoredNew || ds[i].Stored == monitor.StoredRepeat {
			incident := incidentOf(o)
			open[incident] = Claim{incident, ds[i].AlertID, max(open[incident].Severity, o.Finding.Severity)}
		}
	}
	if len(open) > 0 {
		c.try(ctx, func(ctx context.Context) error {
			return c.claims.Claim(ctx, slices.Collect(maps.Values(open)), c.ttl)
		})
	}
}

// release ends the claim of an alert that was closed.
func (c *claimer) release(ctx context.Context, a *monitor.Alert) {
	c.try(ctx, func(ctx context.Context) error {
		return c.claims.Release(ctx, Incident{a.OrganizationID, a.Fingerprint})
	})
}

// try calls f, unless a call failed a moment ago.
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
		return // the caller left
	default:
		c.breaker.Fail(err, 0, time.Now())
	}
	c.calls.Note(ctx, err)
}

// health tells whether the claims work. Without them there is only more to do.
func (c *claimer) health() monitor.ComponentHealth {
	h := c.calls.Health("claims")
	h.Status = min(h.Status, monitor.HealthWarning)
	return h
}
