package alertingtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// A ClaimsHarness creates the claims that [RunClaims] tests.
type ClaimsHarness struct {
	// New returns the sets of two instances that share claims, of which there are
	// none yet. They may be the same value. New can call t.Cleanup.
	New func(t *testing.T) (here, there claims.Set)
}

// RunClaims tests whether a [claims.Set] does what its documentation demands. Each
// case is a subtest that calls New. The cases use the real clock and also work with a
// server.
func RunClaims(t *testing.T, h ClaimsHarness) {
	t.Helper()
	for name, run := range map[string]func(*claimsTest){
		"Lookup":           testClaimsLookup,
		"Replace":          testClaimsReplace,
		"Fields":           testClaimsFields,
		"Expiry":           testClaimsExpiry,
		"Prolonged":        testClaimsProlonged,
		"Shortened":        testClaimsShortened,
		"Release":          testClaimsRelease,
		"Tenants":          testClaimsTenants,
		"Concurrent":       testClaimsConcurrent,
		"Empty":            testClaimsEmpty,
		"CanceledContexts": testClaimsCanceled,
	} {
		t.Run(name, func(t *testing.T) {
			here, there := h.New(t)
			run(&claimsTest{T: t, here: here, there: there})
		})
	}
}

// A claimsTest makes claims in one set (here) and looks them up in the other (there).
type claimsTest struct {
	*testing.T

	here, there claims.Set
}

// lasting is longer than any test. brief is short enough to wait for.
const (
	lasting = time.Hour
	brief   = 60 * time.Millisecond
)

func keyOf(key string) claims.AlertKey {
	return claims.AlertKey{Organization: acme, Fingerprint: monitor.FingerprintOf("failed_auth", acme, key)}
}

// claimOf returns the claim for a key and the ID of its open alert.
func claimOf(k claims.AlertKey, id string) claims.Claim {
	return claims.Claim{AlertKey: k, AlertID: id, Severity: monitor.SeverityMedium}
}

func (t *claimsTest) claim(ttl time.Duration, made ...claims.Claim) {
	t.Helper()
	check.NoError(t, "Claim", t.here.Claim(t.Context(), made, ttl))
}

func (t *claimsTest) release(i claims.AlertKey) {
	t.Helper()
	check.NoError(t, "Release", t.here.Release(t.Context(), i))
}

// lookup returns the claims for keys. It fails if a key has two different claims.
func (t *claimsTest) lookup(keys ...claims.AlertKey) map[claims.AlertKey]claims.Claim {
	t.Helper()
	found := check.Must(t.there.Lookup(t.Context(), keys))(t)
	byKey := map[claims.AlertKey]claims.Claim{}
	for _, c := range found {
		if other, twice := byKey[c.AlertKey]; twice && other != c {
			t.Errorf("a key has the claims %+v and %+v", other, c)
		}
		byKey[c.AlertKey] = c
	}
	return byKey
}

// want checks that the claims for keys are exactly these.
func (t *claimsTest) want(keys []claims.AlertKey, want ...claims.Claim) {
	t.Helper()
	found := t.lookup(keys...)
	for _, c := range want {
		if found[c.AlertKey] != c {
			t.Errorf("found the claim %+v, want %+v", found[c.AlertKey], c)
		}
		delete(found, c.AlertKey)
	}
	for _, c := range found {
		t.Errorf("found an unexpected claim %+v", c)
	}
}

// awaitEnd waits until there is no claim for a key.
func (t *claimsTest) awaitEnd(i claims.AlertKey) {
	t.Helper()
	tick := time.NewTicker(brief / 20)
	defer tick.Stop()
	for deadline := time.After(time.Minute); len(t.lookup(i)) > 0; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the claim did not end within a minute")
		}
	}
}

func testClaimsLookup(t *claimsTest) {
	a, b, c := keyOf("a"), keyOf("b"), keyOf("c")
	t.want([]claims.AlertKey{a, b, c})
	t.claim(lasting, claimOf(b, "1"))
	t.want([]claims.AlertKey{a})
	t.want([]claims.AlertKey{b}, claimOf(b, "1"))
	t.want([]claims.AlertKey{a, b, c}, claimOf(b, "1"))
	t.want([]claims.AlertKey{b, a, b, b, a}, claimOf(b, "1"))

	var keys []claims.AlertKey
	var made []claims.Claim
	for n := range 500 {
		i := keyOf(fmt.Sprint("many", n))
		keys = append(keys, i)
		if n%3 == 0 {
			made = append(made, claimOf(i, fmt.Sprint(n)))
		}
	}
	t.claim(lasting, made...)
	t.want(keys, made...)
}

func testClaimsReplace(t *claimsTest) {
	a, b := keyOf("a"), keyOf("b")
	t.claim(lasting, claimOf(a, "1"), claimOf(b, "1"))
	worse := claims.Claim{AlertKey: a, AlertID: "2", Severity: monitor.SeverityCritical}
	t.claim(lasting, worse)
	t.want([]claims.AlertKey{a, b}, worse, claimOf(b, "1"))
	t.claim(lasting, claimOf(a, "2"))
	t.want([]claims.AlertKey{a, b}, claimOf(a, "2"), claimOf(b, "1"))
	// If a key is claimed twice in one call, either claim may win.
	t.claim(lasting, claimOf(a, "3"), claimOf(a, "4"))
	if got := t.lookup(a)[a]; got != claimOf(a, "3") && got != claimOf(a, "4") {
		t.Errorf("after claims of 3 and 4 in one call, Lookup returned %+v", got)
	}
}

func testClaimsFields(t *claimsTest) {
	for n, id := range []string{
		"1", "01980b7e-7cc4-7d2c-8d4c-5a4f4e6e2f11", "HIGH", "two words", " led", "trailed ", "a:b", "{a}", "%s", "'\"\\", "\r\n",
		"Zoë", "\xff", strings.Repeat("long", 250),
	} {
		for severity := monitor.SeverityInfo; severity <= monitor.SeverityCritical; severity++ {
			i := keyOf(fmt.Sprint(n, severity))
			c := claims.Claim{AlertKey: i, AlertID: id, Severity: severity}
			t.claim(lasting, c)
			t.want([]claims.AlertKey{i}, c)
		}
	}
}

func testClaimsExpiry(t *claimsTest) {
	short, long := keyOf("short"), keyOf("long")
	t.claim(lasting, claimOf(long, "1"))
	made := time.Now()
	t.claim(brief, claimOf(short, "2"))
	t.awaitEnd(short)
	if lasted := time.Since(made); lasted < brief/2 { // the clocks may differ a little
		t.Errorf("a claim for %v ended after %v", brief, lasted)
	}
	t.want([]claims.AlertKey{short, long}, claimOf(long, "1"))
	t.claim(lasting, claimOf(short, "3"))
	t.want([]claims.AlertKey{short, long}, claimOf(short, "3"), claimOf(long, "1"))
}

func testClaimsProlonged(t *claimsTest) {
	a, b := keyOf("a"), keyOf("b")
	t.claim(brief, claimOf(a, "1"))
	t.claim(lasting, claimOf(a, "1"))
	t.claim(brief, claimOf(b, "2"))
	t.awaitEnd(b) // by then, the other one would have expired, too
	t.want([]claims.AlertKey{a}, claimOf(a, "1"))
}

func testClaimsShortened(t *claimsTest) {
	a := keyOf("a")
	t.claim(lasting, claimOf(a, "1"))
	t.claim(brief, claimOf(a, "1"))
	t.awaitEnd(a)
}

func testClaimsRelease(t *claimsTest) {
	a, b := keyOf("a"), keyOf("b")
	t.release(a)
	t.claim(lasting, claimOf(a, "1"), claimOf(b, "1"))
	t.release(a)
	t.want([]claims.AlertKey{a, b}, claimOf(b, "1"))
	t.release(a)
	t.want([]claims.AlertKey{a, b}, claimOf(b, "1"))
	t.claim(lasting, claimOf(a, "2"))
	t.want([]claims.AlertKey{a, b}, claimOf(a, "2"), claimOf(b, "1"))
}

func testClaimsTenants(t *claimsTest) {
	fingerprint := monitor.FingerprintOf("failed_auth", acme, "mallory")
	var keys []claims.AlertKey
	var made []claims.Claim
	for n, organization := range []string{
		acme, "ACME", "acme ", " acme", "acme:", ":acme", "a:b", "a", "b", "{acme}", "{a}cme", "{}", "}{", "*", "acm?", "[a]cme",
		"acme\n", "acme\r\n", "acme/", "acme\\", "acme%", "acme\xff", "acme\xfe", "acmé", "acme\u0301",
		"acme:" + fingerprint.String(), fingerprint.String(), strings.Repeat("acme", 250), strings.Repeat("acme", 251),
	} {
		i := claims.AlertKey{Organization: organization, Fingerprint: fingerprint}
		keys = append(keys, i)
		made = append(made, claimOf(i, fmt.Sprint(n)))
	}
	t.claim(lasting, made[0])
	t.want(keys, made[0])
	t.claim(lasting, made...)
	t.want(keys, made...)
	for n := range made {
		t.release(keys[n])
		t.want(keys, made[n+1:]...)
	}
}

// testClaimsConcurrent has each worker claim a key of its own and a shared one.
func testClaimsConcurrent(t *claimsTest) {
	shared := keyOf("shared")
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			own := keyOf(fmt.Sprint(w))
			for n := range 25 {
				severity := monitor.Severity(n % 5)
				mine := claims.Claim{AlertKey: own, AlertID: fmt.Sprint(w, n), Severity: severity}
				ours := claims.Claim{AlertKey: shared, AlertID: severity.String(), Severity: severity}
				if err := t.here.Claim(t.Context(), []claims.Claim{mine, ours}, lasting); err != nil {
					t.Errorf("Claim: %v", err)
				}
				found, err := t.there.Lookup(t.Context(), []claims.AlertKey{shared, own})
				if err != nil {
					t.Errorf("Lookup: %v", err)
				}
				for _, c := range found {
					if c != mine && (c.AlertKey != shared || c.AlertID != c.Severity.String()) {
						t.Errorf("worker %d found %+v", w, c)
					}
				}
				if err := t.there.Release(t.Context(), shared); err != nil {
					t.Errorf("Release: %v", err)
				}
			}
		})
	}
	all.Wait()
	var keys []claims.AlertKey
	var made []claims.Claim
	for w := range 8 {
		keys = append(keys, keyOf(fmt.Sprint(w)))
		made = append(made, claims.Claim{AlertKey: keys[w], AlertID: fmt.Sprint(w, 24), Severity: monitor.SeverityCritical})
	}
	t.want(append(keys, shared), made...)
}

func testClaimsEmpty(t *claimsTest) {
	a := keyOf("a")
	t.claim(lasting, claimOf(a, "1"))
	t.want(nil)
	t.claim(lasting)
	t.want([]claims.AlertKey{a}, claimOf(a, "1"))
}

func testClaimsCanceled(t *claimsTest) {
	a, b := keyOf("a"), keyOf("b")
	t.claim(lasting, claimOf(a, "1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	found, err := t.here.Lookup(ctx, []claims.AlertKey{a, b})
	if !errors.Is(err, context.Canceled) || len(found) != 0 {
		t.Errorf("Lookup after cancellation returned %+v, %v", found, err)
	}
	if err := t.here.Claim(ctx, []claims.Claim{claimOf(b, "2")}, lasting); !errors.Is(err, context.Canceled) {
		t.Errorf("Claim after cancellation: %v", err)
	}
	if err := t.here.Release(ctx, a); !errors.Is(err, context.Canceled) {
		t.Errorf("Release after cancellation: %v", err)
	}
	t.want([]claims.AlertKey{a, b}, claimOf(a, "1"))
}
