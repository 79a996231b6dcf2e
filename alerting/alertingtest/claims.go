package alertingtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// A ClaimsHarness makes the claims that [RunClaims] tests.
type ClaimsHarness struct {
	// New returns the claims of two instances that share them, to be cleaned up
	// by t. Nothing is claimed yet. They may be the same value.
	New func(t *testing.T) (here, there alerting.Claims)
}

// RunClaims tests that claims do what [alerting.Claims] promises. Every case is a
// subtest with claims of its own. The cases use the real clock and may run against
// a server.
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

// A claimsTest makes claims here and looks them up there.
type claimsTest struct {
	*testing.T

	here, there alerting.Claims
}

// lasting is longer than any test takes, brief shorter than one may.
const (
	lasting = time.Hour
	brief   = 60 * time.Millisecond
)

func incident(key string) alerting.Incident {
	return alerting.Incident{Organization: acme, Fingerprint: monitor.FingerprintOf("failed_auth", acme, key)}
}

// claimOf returns the claim that an incident's alert has that ID.
func claimOf(i alerting.Incident, id string) alerting.Claim {
	return alerting.Claim{Incident: i, AlertID: id, Severity: monitor.SeverityMedium}
}

func (t *claimsTest) claim(ttl time.Duration, claims ...alerting.Claim) {
	t.Helper()
	if err := t.here.Claim(t.Context(), claims, ttl); err != nil {
		t.Fatalf("Claim: %v", err)
	}
}

func (t *claimsTest) release(i alerting.Incident) {
	t.Helper()
	if err := t.here.Release(t.Context(), i); err != nil {
		t.Fatalf("Release: %v", err)
	}
}

// lookup returns what is claimed of incidents. None may be claimed in two ways.
func (t *claimsTest) lookup(incidents ...alerting.Incident) map[alerting.Incident]alerting.Claim {
	t.Helper()
	claims, err := t.there.Lookup(t.Context(), incidents)
	if err != nil {
		t.Fatalf("Lookup: %v", err)
	}
	found := map[alerting.Incident]alerting.Claim{}
	for _, c := range claims {
		if other, twice := found[c.Incident]; twice && other != c {
			t.Errorf("an incident has the claims %+v and %+v", other, c)
		}
		found[c.Incident] = c
	}
	return found
}

// want checks what is claimed of incidents: those claims and no others.
func (t *claimsTest) want(incidents []alerting.Incident, claims ...alerting.Claim) {
	t.Helper()
	found := t.lookup(incidents...)
	for _, c := range claims {
		if found[c.Incident] != c {
			t.Errorf("the claim %+v is %+v", c, found[c.Incident])
		}
		delete(found, c.Incident)
	}
	for _, c := range found {
		t.Errorf("there is a claim %+v", c)
	}
}

// awaitEnd waits until an incident is no longer claimed.
func (t *claimsTest) awaitEnd(i alerting.Incident) {
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
	a, b, c := incident("a"), incident("b"), incident("c")
	t.want([]alerting.Incident{a, b, c})
	t.claim(lasting, claimOf(b, "1"))
	t.want([]alerting.Incident{a})
	t.want([]alerting.Incident{b}, claimOf(b, "1"))
	t.want([]alerting.Incident{a, b, c}, claimOf(b, "1"))
	t.want([]alerting.Incident{b, a, b, b, a}, claimOf(b, "1"))

	var incidents []alerting.Incident
	var claims []alerting.Claim
	for n := range 500 {
		i := incident(fmt.Sprint("many", n))
		incidents = append(incidents, i)
		if n%3 == 0 {
			claims = append(claims, claimOf(i, fmt.Sprint(n)))
		}
	}
	t.claim(lasting, claims...)
	t.want(incidents, claims...)
}

func testClaimsReplace(t *claimsTest) {
	a, b := incident("a"), incident("b")
	t.claim(lasting, claimOf(a, "1"), claimOf(b, "1"))
	worse := alerting.Claim{Incident: a, AlertID: "2", Severity: monitor.SeverityCritical}
	t.claim(lasting, worse)
	t.want([]alerting.Incident{a, b}, worse, claimOf(b, "1"))
	t.claim(lasting, claimOf(a, "2"))
	t.want([]alerting.Incident{a, b}, claimOf(a, "2"), claimOf(b, "1"))
	// Of two claims of an incident at once there is one.
	t.claim(lasting, claimOf(a, "3"), claimOf(a, "4"))
	if got := t.lookup(a)[a]; got != claimOf(a, "3") && got != claimOf(a, "4") {
		t.Errorf("after claims of 3 and 4 at once there is %+v", got)
	}
}

func testClaimsFields(t *claimsTest) {
	for n, id := range []string{
		"1", "01980b7e-7cc4-7d2c-8d4c-5a4f4e6e2f11", "HIGH", "two words", " led", "trailed ", "a:b", "{a}", "%s", "'\"\\", "\r\n",
		"Zoë", "\xff", strings.Repeat("long", 250),
	} {
		for severity := monitor.SeverityInfo; severity <= monitor.SeverityCritical; severity++ {
			i := incident(fmt.Sprint(n, severity))
			c := alerting.Claim{Incident: i, AlertID: id, Severity: severity}
			t.claim(lasting, c)
			t.want([]alerting.Incident{i}, c)
		}
	}
}

func testClaimsExpiry(t *claimsTest) {
	short, long := incident("short"), incident("long")
	t.claim(lasting, claimOf(long, "1"))
	made := time.Now()
	t.claim(brief, claimOf(short, "2"))
	t.awaitEnd(short)
	if lasted := time.Since(made); lasted < brief/2 { // the clocks may differ a little
		t.Errorf("a claim for %v ended after %v", brief, lasted)
	}
	t.want([]alerting.Incident{short, long}, claimOf(long, "1"))
	t.claim(lasting, claimOf(short, "3"))
	t.want([]alerting.Incident{short, long}, claimOf(short, "3"), claimOf(long, "1"))
}

func testClaimsProlonged(t *claimsTest) {
	a, b := incident("a"), incident("b")
	t.claim(brief, claimOf(a, "1"))
	t.claim(lasting, claimOf(a, "1"))
	t.claim(brief, claimOf(b, "2"))
	t.awaitEnd(b) // by when the other one would have ended
	t.want([]alerting.Incident{a}, claimOf(a, "1"))
}

func testClaimsShortened(t *claimsTest) {
	a := incident("a")
	t.claim(lasting, claimOf(a, "1"))
	t.claim(brief, claimOf(a, "1"))
	t.awaitEnd(a)
}

func testClaimsRelease(t *claimsTest) {
	a, b := incident("a"), incident("b")
	t.release(a)
	t.claim(lasting, claimOf(a, "1"), claimOf(b, "1"))
	t.release(a)
	t.want([]alerting.Incident{a, b}, claimOf(b, "1"))
	t.release(a)
	t.want([]alerting.Incident{a, b}, claimOf(b, "1"))
	t.claim(lasting, claimOf(a, "2"))
	t.want([]alerting.Incident{a, b}, claimOf(a, "2"), claimOf(b, "1"))
}

func testClaimsTenants(t *claimsTest) {
	fingerprint := monitor.FingerprintOf("failed_auth", acme, "mallory")
	var incidents []alerting.Incident
	var claims []alerting.Claim
	for n, organization := range []string{
		acme, "ACME", "acme ", " acme", "acme:", ":acme", "a:b", "a", "b", "{acme}", "{a}cme", "{}", "}{", "*", "acm?", "[a]cme",
		"acme\n", "acme\r\n", "acme/", "acme\\", "acme%", "acme\xff", "acme\xfe", "acmé", "acme\u0301",
		"acme:" + fingerprint.String(), fingerprint.String(), strings.Repeat("acme", 250), strings.Repeat("acme", 251),
	} {
		i := alerting.Incident{Organization: organization, Fingerprint: fingerprint}
		incidents = append(incidents, i)
		claims = append(claims, claimOf(i, fmt.Sprint(n)))
	}
	t.claim(lasting, claims[0])
	t.want(incidents, claims[0])
	t.claim(lasting, claims...)
	t.want(incidents, claims...)
	for n := range claims {
		t.release(incidents[n])
		t.want(incidents, claims[n+1:]...)
	}
}

// testClaimsConcurrent has workers with an incident each, and one that they share.
func testClaimsConcurrent(t *claimsTest) {
	shared := incident("shared")
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			own := incident(fmt.Sprint(w))
			for n := range 25 {
				severity := monitor.Severity(n % 5)
				mine := alerting.Claim{Incident: own, AlertID: fmt.Sprint(w, n), Severity: severity}
				ours := alerting.Claim{Incident: shared, AlertID: severity.String(), Severity: severity}
				if err := t.here.Claim(t.Context(), []alerting.Claim{mine, ours}, lasting); err != nil {
					t.Errorf("Claim: %v", err)
				}
				found, err := t.there.Lookup(t.Context(), []alerting.Incident{shared, own})
				if err != nil {
					t.Errorf("Lookup: %v", err)
				}
				for _, c := range found {
					if c != mine && (c.Incident != shared || c.AlertID != c.Severity.String()) {
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
	var incidents []alerting.Incident
	var claims []alerting.Claim
	for w := range 8 {
		incidents = append(incidents, incident(fmt.Sprint(w)))
		claims = append(claims, alerting.Claim{Incident: incidents[w], AlertID: fmt.Sprint(w, 24), Severity: monitor.SeverityCritical})
	}
	t.want(append(incidents, shared), claims...)
}

func testClaimsEmpty(t *claimsTest) {
	a := incident("a")
	t.claim(lasting, claimOf(a, "1"))
	t.want(nil)
	t.claim(lasting)
	t.want([]alerting.Incident{a}, claimOf(a, "1"))
}

func testClaimsCanceled(t *claimsTest) {
	a, b := incident("a"), incident("b")
	t.claim(lasting, claimOf(a, "1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	claims, err := t.here.Lookup(ctx, []alerting.Incident{a, b})
	if !errors.Is(err, context.Canceled) || len(claims) != 0 {
		t.Errorf("Lookup after cancellation returned %+v, %v", claims, err)
	}
	if err := t.here.Claim(ctx, []alerting.Claim{claimOf(b, "2")}, lasting); !errors.Is(err, context.Canceled) {
		t.Errorf("Claim after cancellation: %v", err)
	}
	if err := t.here.Release(ctx, a); !errors.Is(err, context.Canceled) {
		t.Errorf("Release after cancellation: %v", err)
	}
	t.want([]alerting.Incident{a, b}, claimOf(a, "1"))
}
