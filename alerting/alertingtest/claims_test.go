package alertingtest_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/monitor"
)

// brokenClaims names the environment variable that makes TestClaimsSuiteCatches
// the suite of broken claims.
const brokenClaims = "ALERTINGTEST_BROKEN_CLAIMS"

// TestClaimsSuiteCatches is what TestSuiteCatches is, for claims.
func TestClaimsSuiteCatches(t *testing.T) {
	broken := brokenClaimsCases()
	if name := os.Getenv(brokenClaims); name != "" {
		alertingtest.RunClaims(t, alertingtest.ClaimsHarness{New: func(*testing.T) (here, there alerting.Claims) {
			return broken[name].wrap(memalerts.NewClaims())
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
	wrap  func(alerting.Claims) (here, there alerting.Claims)
}

func brokenClaimsCases() map[string]brokenClaimsCase {
	// both returns the faulty claims as those of both instances.
	both := func(fault func(c alerting.Claims) *claims) func(alerting.Claims) (here, there alerting.Claims) {
		return func(c alerting.Claims) (here, there alerting.Claims) {
			faulty := fault(c)
			return faulty, faulty
		}
	}
	ofIncident := func(change func(*alerting.Incident)) func(alerting.Claims) (here, there alerting.Claims) {
		return both(func(c alerting.Claims) *claims { return &claims{Claims: c, incident: change} })
	}
	ofClaim := func(change func(*alerting.Claim, *time.Duration)) func(alerting.Claims) (here, there alerting.Claims) {
		return both(func(c alerting.Claims) *claims { return &claims{Claims: c, claim: change} })
	}
	return map[string]brokenClaimsCase{
		"shares nothing": {"Lookup", func(c alerting.Claims) (here, there alerting.Claims) {
			return c, memalerts.NewClaims()
		}},
		"mixes tenants": {"Tenants", ofIncident(func(i *alerting.Incident) { i.Organization = "acme" })},
		"folds case":    {"Tenants", ofIncident(func(i *alerting.Incident) { i.Organization = strings.ToLower(i.Organization) })},
		"trims names":   {"Tenants", ofIncident(func(i *alerting.Incident) { i.Organization = strings.TrimSpace(i.Organization) })},
		"wants UTF-8":   {"Tenants", ofIncident(func(i *alerting.Incident) { i.Organization = strings.ToValidUTF8(i.Organization, "?") })},
		"mixes alerts":  {"Lookup", ofIncident(func(i *alerting.Incident) { i.Fingerprint = monitor.Fingerprint{} })},
		"keeps the first": {"Replace", both(func(c alerting.Claims) *claims {
			seen := map[alerting.Incident]alerting.Claim{}
			return &claims{Claims: c, claim: func(claim *alerting.Claim, _ *time.Duration) {
				if first, again := seen[claim.Incident]; again {
					*claim = first
				}
				seen[claim.Incident] = *claim
			}}
		})},
		"knows one severity": {"Fields", ofClaim(func(c *alerting.Claim, _ *time.Duration) { c.Severity = monitor.SeverityMedium })},
		"trims IDs":          {"Fields", ofClaim(func(c *alerting.Claim, _ *time.Duration) { c.AlertID = strings.TrimSpace(c.AlertID) })},
		"ends too soon":      {"Expiry", ofClaim(func(_ *alerting.Claim, ttl *time.Duration) { *ttl /= 1000 })},
		"ends when it first would": {"Prolonged", both(func(c alerting.Claims) *claims {
			ends := map[alerting.Incident]time.Time{}
			return &claims{Claims: c, claim: func(claim *alerting.Claim, ttl *time.Duration) {
				if end, again := ends[claim.Incident]; again {
					*ttl = time.Until(end)
				}
				ends[claim.Incident] = time.Now().Add(*ttl)
			}}
		})},
		"releases nothing": {"Release", both(func(c alerting.Claims) *claims {
			return &claims{Claims: c, release: func(context.Context, alerting.Incident) error { return nil }}
		})},
		"does not release what is not there": {"Release", both(func(c alerting.Claims) *claims {
			return &claims{Claims: c, release: func(ctx context.Context, i alerting.Incident) error {
				if found, err := c.Lookup(ctx, []alerting.Incident{i}); err != nil || len(found) == 0 {
					return monitor.ErrNotFound
				}
				return c.Release(ctx, i)
			}}
		})},
		"mixes what is written at once": {"Concurrent", both(func(c alerting.Claims) *claims {
			severities := make(chan monitor.Severity, 1)
			severities <- 0
			return &claims{Claims: c, claim: func(claim *alerting.Claim, _ *time.Duration) {
				previous := <-severities
				severities <- claim.Severity
				claim.Severity = previous
			}}
		})},
		"ignores the context": {"CanceledContexts", both(func(c alerting.Claims) *claims {
			return &claims{Claims: c, release: func(ctx context.Context, i alerting.Incident) error {
				return c.Release(context.WithoutCancel(ctx), i)
			}}
		})},
	}
}

// Claims that do what the fields make of the right answers.
type claims struct {
	alerting.Claims

	incident func(*alerting.Incident)
	claim    func(*alerting.Claim, *time.Duration)
	release  func(context.Context, alerting.Incident) error
}

func (c *claims) Lookup(ctx context.Context, incidents []alerting.Incident) ([]alerting.Claim, error) {
	if c.incident == nil {
		return c.Claims.Lookup(ctx, incidents)
	}
	// Each is asked for by itself, so that the answer names what was asked for.
	var all []alerting.Claim
	for _, asked := range incidents {
		i := asked
		c.incident(&i)
		found, err := c.Claims.Lookup(ctx, []alerting.Incident{i})
		if err != nil {
			return nil, err
		}
		for _, claim := range found {
			claim.Incident = asked
			all = append(all, claim)
		}
	}
	return all, nil
}

func (c *claims) Claim(ctx context.Context, made []alerting.Claim, ttl time.Duration) error {
	for _, claim := range made {
		if c.incident != nil {
			c.incident(&claim.Incident)
		}
		ttl := ttl
		if c.claim != nil {
			c.claim(&claim, &ttl)
		}
		if err := c.Claims.Claim(ctx, []alerting.Claim{claim}, ttl); err != nil {
			return err
		}
	}
	return nil
}

func (c *claims) Release(ctx context.Context, i alerting.Incident) error {
	if c.release != nil {
		return c.release(ctx, i)
	}
	if c.incident != nil {
		c.incident(&i)
	}
	return c.Claims.Release(ctx, i)
}
