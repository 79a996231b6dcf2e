// Package claims has the port by which instances that share a store of alerts tell
// each other which alerts are open, faster than the store does. Package
// redisclaim implements it.
package claims

import (
	"context"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Set holds the claims that instances share. Claims save work and decide
// nothing: a manager buffers an occurrence of an alert that is claimed, and the
// store says what becomes of it when the manager flushes. A claim may be wrong
// for as long as it lasts, which is two coalescing intervals. An alert that is
// not claimed costs a call to the store. Losing all claims, or the instance that
// made them, loses nothing.
//
// An implementation must be safe for concurrent use.
type Set interface {
	// Lookup returns the claims that there are for these keys, in any order.
	Lookup(ctx context.Context, keys []AlertKey) ([]Claim, error)
	// Claim makes claims, or replaces them, for that long.
	Claim(ctx context.Context, claims []Claim, ttl time.Duration) error
	// Release ends the claim for a key, if there is one.
	Release(ctx context.Context, key AlertKey) error
}

// An AlertKey identifies at most one open alert.
type AlertKey struct {
	Organization string
	Fingerprint  monitor.Fingerprint
}

// A Claim says that the alert of a key is open, and what its severity is at least.
type Claim struct {
	AlertKey
	AlertID  string
	Severity monitor.Severity
}
