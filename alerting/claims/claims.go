// Package claims defines how instances that share a store of alerts tell each other
// which alerts are open, so that they need to ask the store less often. Package
// redisclaim implements it.
package claims

import (
	"context"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Set is a cache of open alerts that instances share. A manager buffers repeats of
// a claimed alert instead of storing them at once; when it flushes them, the store
// still decides what happens to them. A claim may thus be outdated without harm, and
// losing claims only costs additional calls to the store. The manager makes claims
// that last for two coalescing intervals.
//
// A Set must be safe for concurrent use. Its methods must return when ctx ends.
type Set interface {
	// Lookup returns the claims that exist for these keys, in any order.
	Lookup(ctx context.Context, keys []AlertKey) ([]Claim, error)
	// Claim sets claims that expire after ttl, and replaces those of the same keys.
	Claim(ctx context.Context, claims []Claim, ttl time.Duration) error
	// Release removes the claim for a key, if there is one.
	Release(ctx context.Context, key AlertKey) error
}

// An AlertKey is the organization and the fingerprint of an alert. At most one alert
// with the same key is open.
type AlertKey struct {
	Organization string
	Fingerprint  monitor.Fingerprint
}

// A Claim says that an alert is open. Severity is a lower bound of the alert's
// severity, which may have risen since.
type Claim struct {
	AlertKey
	AlertID  string
	Severity monitor.Severity
}
