package monitor_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// TestSignedEventWithoutOrganization has an event that names no organization arrive
// at the intakes of two, which both know the key that it was signed with.
func TestSignedEventWithoutOrganization(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		organizations []string // of the key
		home, other   string   // where the event belongs, empty if it is refused
	}{
		"any key":                   {nil, "", ""},
		"the key of home":           {[]string{"home"}, "home", "home"},
		"the key of the other":      {[]string{"other"}, "other", "other"},
		"the key of a third":        {[]string{"third"}, "third", "third"},
		"the key of several":        {[]string{"home", "other"}, "", ""},
		"a key that repeats itself": {[]string{"home", "home"}, "home", "home"},
	} {
		key, err := crypto.NewHMACKey("k", benchSecret, &crypto.KeyOptions{Organizations: c.organizations})
		check.NoError(t, "key", err)
		ring, err := crypto.NewKeyring(key)
		check.NoError(t, "keyring", err)
		signer, err := crypto.NewSigner(hmacKey(t)) // it may sign for all
		check.NoError(t, "signer", err)
		for intake, want := range map[string]string{"home": c.home, "other": c.other, "": c.home} {
			arrivals := &arrivalRecorder{}
			m := newMonitor(t, func(cfg *monitor.Config) {
				cfg.AllowUnverified, cfg.Verifier = false, crypto.NewChecker(ring, nil)
				cfg.DefaultOrganization, cfg.Detectors = intake, []monitor.Detector{arrivals}
			})
			for _, keyID := range []string{"", "k"} {
				e := newEvent("", 0)
				e.OrganizationID = ""
				check.NoError(t, "sign", signer.Sign(t.Context(), e))
				e.KeyID = keyID
				arrivals.last = monitor.Arrival{}
				r, err := m.Process(t.Context(), e)
				what := list(name, " at ", intake, " with key ID ", keyID)
				check.Equal(t, what, arrivals.last.OrganizationID, want)
				if refused := err != nil || r.Verification.Decision == monitor.DecisionFail; refused != (want == "") {
					t.Errorf("%s: %v, %v", what, r.Verification, err)
				}
			}
		}
	}
}

// TestUnsignedEventWithoutOrganization has a host that vouches for its events, or
// takes their hashes for it.
func TestUnsignedEventWithoutOrganization(t *testing.T) {
	t.Parallel()
	for name, configure := range map[string]func(*monitor.Config){
		"unverified": func(*monitor.Config) {},
		"unhashed":   func(c *monitor.Config) { c.Verifier = crypto.NewChecker(nil, &crypto.Options{AllowUnhashed: true}) },
		"own verifier": func(c *monitor.Config) {
			c.Verifier = verdicts(nil)
		},
	} {
		arrivals := &arrivalRecorder{}
		m := newMonitor(t, func(c *monitor.Config) {
			configure(c)
			c.AllowUnverified = c.Verifier == nil
			c.DefaultOrganization, c.Detectors = "home", []monitor.Detector{arrivals}
		})
		e := newEvent("", 0)
		e.OrganizationID = ""
		process(t, m, e)
		check.Equal(t, name, arrivals.last.OrganizationID, "home")
	}
}
