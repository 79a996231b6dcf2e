package crypto_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func TestNewKeyring(t *testing.T) {
	t.Parallel()
	k := hmacKey(t, "k", secret, nil)
	for want, keys := range map[string][]*auditcrypto.Key{
		"key number 1: missing":    {k, nil},
		"key number 0: missing":    {{}},
		`two keys have the ID "k"`: {k, hmacKey(t, "k", otherSecret, nil)},
	} {
		if _, err := auditcrypto.NewKeyring(keys...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	anyone := hmacKey(t, "anyone", otherSecret, nil)
	restricted := hmacKey(t, "k", secret, &auditcrypto.KeyOptions{Organizations: []string{"org-1", "org-2"}})
	unrestricted := hmacKey(t, "k", secret, nil) // signs what the restricted one would not
	c := checker(t, restricted, anyone)
	for organization, want := range map[string]monitor.Verdict{
		"org-1": monitor.VerdictVerified,
		"org-2": monitor.VerdictVerified,
		"org-3": monitor.VerdictForged,
		"":      monitor.VerdictForged,
	} {
		for _, keyID := range []string{"k", ""} {
			e := monitortest.NewEvent(func(e *monitor.Event) { e.OrganizationID = organization })
			sign(t, unrestricted, e)
			e.KeyID = keyID
			got := c.Verify(t.Context(), e)
			if got.Verdict != want {
				t.Errorf("organization %q, key ID %q: %v, want %v", organization, keyID, got.Verdict, want)
			}
			if keyID == "k" && (want == monitor.VerdictForged) != errors.Is(got.Err, auditcrypto.ErrKeyForeign) {
				t.Errorf("organization %q: error %v", organization, got.Err)
			}
		}
	}
}

// An event without an organization belongs to that of its key, if there is just one.
func TestOrganizationOfTheKey(t *testing.T) {
	t.Parallel()
	key := hmacKey(t, "k", secret, &auditcrypto.KeyOptions{Organizations: []string{"org-1"}})
	unnamed := monitortest.NewEvent(func(e *monitor.Event) { e.OrganizationID = "" })
	sign(t, key, unnamed)
	for _, keyID := range []string{"k", ""} {
		unnamed.KeyID = keyID
		got := checker(t, key).Verify(t.Context(), unnamed)
		monitortest.WantVerdict(t, got, monitor.DecisionAccept, monitor.VerdictVerified)
		check.Equal(t, "organization", got.OrganizationID, "org-1")
	}
	anyone := hmacKey(t, "k", secret, nil)
	got := checker(t, anyone).Verify(t.Context(), unnamed)
	monitortest.WantVerdict(t, got, monitor.DecisionAccept, monitor.VerdictVerified)
	check.Equal(t, "organization of a key for all", got.OrganizationID, "")
}

// An event that names no key is tried against eight of those that may have
// signed it, newest first.
func TestCandidates(t *testing.T) {
	t.Parallel()
	var keys []*auditcrypto.Key
	for i := range 4 { // these do not count
		keys = append(keys,
			hmacKey(t, fmt.Sprint("revoked-", i), secret, &auditcrypto.KeyOptions{State: auditcrypto.KeyRevoked}),
			hmacKey(t, fmt.Sprint("foreign-", i), secret, &auditcrypto.KeyOptions{Organizations: []string{"org-2"}}),
			check.Must(auditcrypto.NewPublicKey(fmt.Sprint("public-", i), auditcrypto.Ed25519, privateKeys()["ed25519"].Public(), nil))(t))
	}
	for i := range 9 {
		keys = append(keys, hmacKey(t, fmt.Sprint("key-", i), fmt.Sprint(secret, i), nil))
	}
	c := checker(t, keys...)
	for i, want := range []monitor.Verdict{0: monitor.VerdictVerified, 7: monitor.VerdictVerified, 8: monitor.VerdictForged} {
		if want == monitor.VerdictUnverified {
			continue
		}
		e := signed(t, keys[12+i], func(e *monitor.Event) { e.KeyID = "" })
		got := c.Verify(t.Context(), e)
		if got.Verdict != want {
			t.Errorf("signed with key %d: %v, %v, want %v", i, got.Verdict, got.Err, want)
		}
		if want == monitor.VerdictVerified && got.KeyID != keys[12+i].ID() {
			t.Errorf("signed with key %d: verified with %q", i, got.KeyID)
		}
		e.KeyID = keys[12+i].ID()
		monitortest.WantVerdict(t, c.Verify(t.Context(), e), monitor.DecisionAccept, monitor.VerdictVerified)
	}
}

// The errors if no key has signed an event.
func TestCandidatesReason(t *testing.T) {
	t.Parallel()
	revoked := hmacKey(t, "revoked", secret, &auditcrypto.KeyOptions{State: auditcrypto.KeyRevoked})
	other := hmacKey(t, "other", otherSecret, nil)
	public := check.Must(auditcrypto.NewPublicKey("public", auditcrypto.Ed25519, privateKeys()["ed25519"].Public(), nil))(t)
	for name, tt := range map[string]struct {
		keys      []*auditcrypto.Key
		algorithm string
		want      error
	}{
		"revoked only":       {[]*auditcrypto.Key{revoked}, "HMAC-SHA256", auditcrypto.ErrKeyRevoked},
		"revoked and other":  {[]*auditcrypto.Key{revoked, other}, "HMAC-SHA256", auditcrypto.ErrBadSignature},
		"other and revoked":  {[]*auditcrypto.Key{other, revoked}, "HMAC-SHA256", auditcrypto.ErrBadSignature},
		"none":               {[]*auditcrypto.Key{public}, "HMAC-SHA256", auditcrypto.ErrUnknownKey},
		"algorithm implied":  {[]*auditcrypto.Key{other}, "", auditcrypto.ErrBadSignature},
		"algorithm open":     {[]*auditcrypto.Key{other, public}, "", auditcrypto.ErrAlgorithm},
		"algorithm unlisted": {[]*auditcrypto.Key{other}, "HMAC-SHA1", auditcrypto.ErrAlgorithm},
	} {
		e := signed(t, hmacKey(t, "k", secret, nil))
		e.KeyID, e.SignatureAlgorithm = "", tt.algorithm
		got := checker(t, tt.keys...).Verify(t.Context(), e)
		if got.Verdict != monitor.VerdictForged || !errors.Is(got.Err, tt.want) {
			t.Errorf("%s: %v, %v, want forged, %v", name, got.Verdict, got.Err, tt.want)
		}
	}
}
