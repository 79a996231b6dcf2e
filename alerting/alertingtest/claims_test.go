package alertingtest_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/monitor"
)

// brokenClaims names the environment variable that makes TestClaimsSuiteCatches
// the suite of broken claims.
const brokenClaims = "ALERTINGTEST_BROKEN_CLAIMS"

func TestMemoryClaims(t *testing.T) {
	t.Parallel()
	alertingtest.RunClaims(t, alertingtest.ClaimsHarness{New: func(*testing.T) (here, there claims.Set) {
		set := newMemoryClaims()
		return set, set
	}})
}

// TestClaimsSuiteCatches is what TestSuiteCatches is, for claims.
func TestClaimsSuiteCatches(t *testing.T) {
	broken := brokenClaimsCases()
	if name := os.Getenv(brokenClaims); name != "" {
		alertingtest.RunClaims(t, alertingtest.ClaimsHarness{New: func(*testing.T) (here, there claims.Set) {
			return broken[name].wrap(newMemoryClaims())
		}})
		return
	}
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := "^TestClaimsSuiteCatches$/^" + broken[name].fails + "$"
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+run, "-test.v")
			cmd.Env = append(os.Environ(), brokenClaims+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestClaimsSuiteCatches/"+broken[name].fails) {
				t.Errorf("case %s did not fail: %v\n%s", broken[name].fails, err, out)
			}
		})
	}
}

type brokenClaimsCase struct {
	fails string // the case that must fail
	wrap  func(claims.Set) (here, there claims.Set)
}

func brokenClaimsCases() map[string]brokenClaimsCase {
	// both returns the faulty claims as those of both instances.
	both := func(fault func(c claims.Set) *faultySet) func(claims.Set) (here, there claims.Set) {
		return func(c claims.Set) (here, there claims.Set) {
			faulty := fault(c)
			return faulty, faulty
		}
	}
	ofKey := func(change func(*claims.AlertKey)) func(claims.Set) (here, there claims.Set) {
		return both(func(c claims.Set) *faultySet { return &faultySet{Set: c, key: change} })
	}
	ofClaim := func(change func(*claims.Claim, *time.Duration)) func(claims.Set) (here, there claims.Set) {
		return both(func(c claims.Set) *faultySet { return &faultySet{Set: c, claim: change} })
	}
	return map[string]brokenClaimsCase{
		"shares nothing": {"Lookup", func(c claims.Set) (here, there claims.Set) {
			return c, newMemoryClaims()
		}},
		"mixes tenants": {"Tenants", ofKey(func(k *claims.AlertKey) { k.Organization = "acme" })},
		"folds case":    {"Tenants", ofKey(func(k *claims.AlertKey) { k.Organization = strings.ToLower(k.Organization) })},
		"trims names":   {"Tenants", ofKey(func(k *claims.AlertKey) { k.Organization = strings.TrimSpace(k.Organization) })},
		"wants UTF-8":   {"Tenants", ofKey(func(k *claims.AlertKey) { k.Organization = strings.ToValidUTF8(k.Organization, "?") })},
		"mixes alerts":  {"Lookup", ofKey(func(k *claims.AlertKey) { k.Fingerprint = monitor.Fingerprint{} })},
		"keeps the first": {"Replace", both(func(c claims.Set) *faultySet {
			seen := map[claims.AlertKey]claims.Claim{}
			return &faultySet{Set: c, claim: func(claim *claims.Claim, _ *time.Duration) {
				if first, again := seen[claim.AlertKey]; again {
					*claim = first
				}
				seen[claim.AlertKey] = *claim
			}}
		})},
		"knows one severity": {"Fields", ofClaim(func(c *claims.Claim, _ *time.Duration) { c.Severity = monitor.SeverityMedium })},
		"trims IDs":          {"Fields", ofClaim(func(c *claims.Claim, _ *time.Duration) { c.AlertID = strings.TrimSpace(c.AlertID) })},
		"ends too soon":      {"Expiry", ofClaim(func(_ *claims.Claim, ttl *time.Duration) { *ttl /= 1000 })},
		"ends when it first would": {"Prolonged", both(func(c claims.Set) *faultySet {
			ends := map[claims.AlertKey]time.Time{}
			return &faultySet{Set: c, claim: func(claim *claims.Claim, ttl *time.Duration) {
				if end, again := ends[claim.AlertKey]; again {
					*ttl = time.Until(end)
				}
				ends[claim.AlertKey] = time.Now().Add(*ttl)
			}}
		})},
		"releases nothing": {"Release", both(func(c claims.Set) *faultySet {
			return &faultySet{Set: c, release: func(context.Context, claims.AlertKey) error { return nil }}
		})},
		"does not release what is not there": {"Release", both(func(c claims.Set) *faultySet {
			return &faultySet{Set: c, release: func(ctx context.Context, i claims.AlertKey) error {
				if found, err := c.Lookup(ctx, []claims.AlertKey{i}); err != nil || len(found) == 0 {
					return monitor.ErrNotFound
				}
				return c.Release(ctx, i)
			}}
		})},
		"mixes what is written at once": {"Concurrent", both(func(c claims.Set) *faultySet {
			severities := make(chan monitor.Severity, 1)
			severities <- 0
			return &faultySet{Set: c, claim: func(claim *claims.Claim, _ *time.Duration) {
				previous := <-severities
				severities <- claim.Severity
				claim.Severity = previous
			}}
		})},
		"ignores the context": {"CanceledContexts", both(func(c claims.Set) *faultySet {
			return &faultySet{Set: c, release: func(ctx context.Context, i claims.AlertKey) error {
				return c.Release(context.WithoutCancel(ctx), i)
			}}
		})},
	}
}

// A faultySet does what its fields make of the right results.
type faultySet struct {
	claims.Set

	key     func(*claims.AlertKey)
	claim   func(*claims.Claim, *time.Duration)
	release func(context.Context, claims.AlertKey) error
}

func (c *faultySet) Lookup(ctx context.Context, keys []claims.AlertKey) ([]claims.Claim, error) {
	if c.key == nil {
		return c.Set.Lookup(ctx, keys)
	}
	// Each is asked for by itself, so that the answer names what was asked for.
	var all []claims.Claim
	for _, asked := range keys {
		i := asked
		c.key(&i)
		found, err := c.Set.Lookup(ctx, []claims.AlertKey{i})
		if err != nil {
			return nil, err
		}
		for _, claim := range found {
			claim.AlertKey = asked
			all = append(all, claim)
		}
	}
	return all, nil
}

func (c *faultySet) Claim(ctx context.Context, made []claims.Claim, ttl time.Duration) error {
	for _, claim := range made {
		if c.key != nil {
			c.key(&claim.AlertKey)
		}
		ttl := ttl
		if c.claim != nil {
			c.claim(&claim, &ttl)
		}
		if err := c.Set.Claim(ctx, []claims.Claim{claim}, ttl); err != nil {
			return err
		}
	}
	return nil
}

func (c *faultySet) Release(ctx context.Context, i claims.AlertKey) error {
	if c.release != nil {
		return c.release(ctx, i)
	}
	if c.key != nil {
		c.key(&i)
	}
	return c.Set.Release(ctx, i)
}

// memoryClaims are a claims.Set in memory.
type memoryClaims struct {
	mu   sync.Mutex
	made map[claims.AlertKey]memoryClaim
}

type memoryClaim struct {
	claims.Claim
	until time.Time
}

func newMemoryClaims() *memoryClaims { return &memoryClaims{made: map[claims.AlertKey]memoryClaim{}} }

func (m *memoryClaims) Lookup(ctx context.Context, keys []claims.AlertKey) (found []claims.Claim, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if c, ok := m.made[key]; ok && time.Now().Before(c.until) && ctx.Err() == nil {
			found = append(found, c.Claim)
		}
	}
	return found, ctx.Err()
}

func (m *memoryClaims) Claim(ctx context.Context, made []claims.Claim, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range made {
		if ctx.Err() == nil {
			m.made[c.AlertKey] = memoryClaim{c, time.Now().Add(ttl)}
		}
	}
	return ctx.Err()
}

func (m *memoryClaims) Release(ctx context.Context, key claims.AlertKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() == nil {
		delete(m.made, key)
	}
	return ctx.Err()
}
