package crypto_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func TestChecker(t *testing.T) {
	t.Parallel()
	t.Run("HMAC-SHA256", func(t *testing.T) {
		t.Parallel()
		right, wrong := hmacKey(t, "k", secret, nil), hmacKey(t, "k", otherSecret, nil)
		runVerifier(t, right, right, wrong)
	})
	for algorithm, private := range publicAlgorithms() {
		t.Run(string(algorithm), func(t *testing.T) {
			t.Parallel()
			right := check.Must(auditcrypto.NewPrivateKey("k", algorithm, private, nil))(t)
			public := check.Must(auditcrypto.NewPublicKey("k", algorithm, private.Public(), nil))(t)
			// The wrong key is of another kind, and says otherwise.
			wrong := hmacKey(t, "k", secret, nil)
			runVerifier(t, public, right, wrong)
		})
	}
}

func runVerifier(t *testing.T, verify, right, wrong *auditcrypto.Key) {
	t.Helper()
	monitortest.RunVerifier(t, monitortest.VerifierHarness{
		New:  func(t *testing.T) monitor.Verifier { t.Helper(); return checker(t, verify) },
		Sign: func(e *monitor.Event) { sign(t, right, e) },
		SignWrong: func(e *monitor.Event) {
			sign(t, wrong, e)
			e.SignatureAlgorithm = string(right.Algorithm())
		},
	})
}

// Each row of the table in the package comment.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	key := hmacKey(t, "k", secret, nil)
	revoked := hmacKey(t, "revoked", secret, &auditcrypto.KeyOptions{State: auditcrypto.KeyRevoked})
	foreign := hmacKey(t, "foreign", secret, &auditcrypto.KeyOptions{Organizations: []string{"org-2"}})
	away := check.Must(auditcrypto.NewAuthorityKey("away", auditcrypto.HMACSHA256,
		authority(func(context.Context, []byte, []byte) error { return errors.New("timeout") }), nil))(t)
	ring := keyring(t, key, revoked, foreign, away)

	edited := func(e *monitor.Event) { e.PrincipalID = "intruder" }
	rehashed := func(e *monitor.Event) {
		edited(e)
		e.Hash = check.Must(auditcrypto.Hash(e))(t)
	}
	unsigned := func(e *monitor.Event) { e.Signature, e.SignatureAlgorithm, e.KeyID = "", "", "" }
	unhashed := func(e *monitor.Event) { e.Hash, e.HashAlgorithm = "", "" }
	zeroHash := func(e *monitor.Event) { e.Hash = strings.Repeat("0", 64) }
	zeroSignature := func(e *monitor.Event) { e.Signature = strings.Repeat("0", 64) }
	set := func(field func(e *monitor.Event) *string, value string) func(e *monitor.Event) {
		return func(e *monitor.Event) { *field(e) = value }
	}
	keyID := func(e *monitor.Event) *string { return &e.KeyID }
	algorithm := func(e *monitor.Event) *string { return &e.SignatureAlgorithm }
	hash := func(e *monitor.Event) *string { return &e.Hash }

	type edits = []func(e *monitor.Event)
	tests := map[string]struct {
		edits    edits
		options  *auditcrypto.Options
		decision monitor.Decision
		verdict  monitor.Verdict
		errs     []error // all of them match
		key      string  // that verified
	}{
		"untouched": {nil, nil, monitor.DecisionAccept, monitor.VerdictVerified, nil, "k"},
		"upper case": {edits{func(e *monitor.Event) {
			e.Hash, e.Signature = strings.ToUpper(e.Hash), strings.ToUpper(e.Signature)
		}}, nil, monitor.DecisionAccept, monitor.VerdictVerified, nil, "k"},
		"no hash algorithm": {edits{func(e *monitor.Event) { e.HashAlgorithm = "" }}, nil,
			monitor.DecisionAccept, monitor.VerdictVerified, nil, "k"},
		"no algorithm": {edits{set(algorithm, "")}, nil, monitor.DecisionAccept, monitor.VerdictVerified, nil, "k"},
		"no key ID":    {edits{set(keyID, "")}, nil, monitor.DecisionAccept, monitor.VerdictVerified, nil, "k"},
		"neither":      {edits{set(keyID, ""), set(algorithm, "")}, nil, monitor.DecisionAccept, monitor.VerdictVerified, nil, "k"},

		"unsigned": {edits{unsigned}, nil, monitor.DecisionFail, monitor.VerdictHashOnly, []error{auditcrypto.ErrUnsigned}, ""},
		"unsigned allowed": {edits{unsigned}, &auditcrypto.Options{AllowHashOnly: true},
			monitor.DecisionAccept, monitor.VerdictHashOnly, nil, ""},
		"unsigned and edited": {edits{unsigned, edited}, &auditcrypto.Options{AllowHashOnly: true},
			monitor.DecisionFail, monitor.VerdictReplaced, []error{auditcrypto.ErrHashMismatch}, ""},
		"unsigned, unhashed allowed": {edits{unsigned}, &auditcrypto.Options{AllowUnhashed: true},
			monitor.DecisionFail, monitor.VerdictHashOnly, []error{auditcrypto.ErrUnsigned}, ""},

		"unhashed": {edits{unhashed, unsigned}, nil, monitor.DecisionFail, monitor.VerdictUnhashed, []error{auditcrypto.ErrUnhashed}, ""},
		"unhashed allowed": {edits{unhashed, unsigned}, &auditcrypto.Options{AllowUnhashed: true},
			monitor.DecisionAccept, monitor.VerdictUnhashed, nil, ""},
		"unhashed, hash only allowed": {edits{unhashed, unsigned}, &auditcrypto.Options{AllowHashOnly: true},
			monitor.DecisionFail, monitor.VerdictUnhashed, []error{auditcrypto.ErrUnhashed}, ""},
		"hash stripped": {edits{unhashed}, &auditcrypto.Options{AllowUnhashed: true},
			monitor.DecisionFail, monitor.VerdictUnhashed, []error{auditcrypto.ErrUnhashed}, ""},

		"hash field edited": {edits{zeroHash}, nil, monitor.DecisionFail, monitor.VerdictHashFieldEdited,
			[]error{auditcrypto.ErrHashMismatch}, "k"},
		"hash malformed": {edits{set(hash, "xyz")}, nil, monitor.DecisionFail, monitor.VerdictHashFieldEdited,
			[]error{auditcrypto.ErrHashMismatch}, "k"},
		"hash of other letters": {edits{set(hash, strings.Repeat("g", 64))}, nil, monitor.DecisionFail, monitor.VerdictHashFieldEdited,
			[]error{auditcrypto.ErrHashMismatch}, "k"},
		"hash malformed and edited": {edits{set(hash, "xyz"), edited}, nil, monitor.DecisionFail, monitor.VerdictReplaced,
			[]error{auditcrypto.ErrHashMismatch, auditcrypto.ErrBadSignature}, ""},
		"content edited": {edits{edited}, nil, monitor.DecisionFail, monitor.VerdictContentEdited,
			[]error{auditcrypto.ErrHashMismatch}, "k"},
		"content edited, hash in upper case": {edits{edited, func(e *monitor.Event) { e.Hash = strings.ToUpper(e.Hash) }},
			nil, monitor.DecisionFail, monitor.VerdictContentEdited, []error{auditcrypto.ErrHashMismatch}, "k"},
		"replaced": {edits{edited, zeroSignature}, nil, monitor.DecisionFail, monitor.VerdictReplaced,
			[]error{auditcrypto.ErrHashMismatch, auditcrypto.ErrBadSignature}, ""},
		"replaced, unknown key": {edits{edited, set(keyID, "nobody")}, nil, monitor.DecisionFail, monitor.VerdictReplaced,
			[]error{auditcrypto.ErrHashMismatch, auditcrypto.ErrUnknownKey}, ""},

		"forged":   {edits{zeroSignature}, nil, monitor.DecisionFail, monitor.VerdictForged, []error{auditcrypto.ErrBadSignature}, ""},
		"rehashed": {edits{rehashed}, nil, monitor.DecisionFail, monitor.VerdictForged, []error{auditcrypto.ErrBadSignature}, ""},
		"signature of another form": {edits{func(e *monitor.Event) { e.Signature += "0" }}, nil,
			monitor.DecisionFail, monitor.VerdictForged, []error{auditcrypto.ErrBadSignature}, ""},
		"unknown key": {edits{set(keyID, "nobody")}, nil, monitor.DecisionFail, monitor.VerdictForged,
			[]error{auditcrypto.ErrUnknownKey}, ""},
		"no key of the algorithm": {edits{set(keyID, ""), set(algorithm, "ED25519")}, nil, monitor.DecisionFail, monitor.VerdictForged,
			[]error{auditcrypto.ErrUnknownKey}, ""},
		"revoked key": {edits{set(keyID, "revoked")}, nil, monitor.DecisionFail, monitor.VerdictForged,
			[]error{auditcrypto.ErrKeyRevoked}, ""},
		"foreign key": {edits{set(keyID, "foreign")}, nil, monitor.DecisionFail, monitor.VerdictForged,
			[]error{auditcrypto.ErrKeyForeign}, ""},
		"algorithm unknown": {edits{set(algorithm, "none")}, nil, monitor.DecisionFail, monitor.VerdictForged,
			[]error{auditcrypto.ErrAlgorithm}, ""},
		"algorithm unknown, no key ID": {edits{set(keyID, ""), set(algorithm, "hmac-sha256")}, nil,
			monitor.DecisionFail, monitor.VerdictForged, []error{auditcrypto.ErrAlgorithm}, ""},
		"algorithm of another key": {edits{set(algorithm, "ED25519")}, nil, monitor.DecisionFail, monitor.VerdictForged,
			[]error{auditcrypto.ErrAlgorithm}, ""},
		"hash algorithm": {edits{func(e *monitor.Event) { e.HashAlgorithm = "SHA-1" }}, nil,
			monitor.DecisionFail, monitor.VerdictForged, []error{auditcrypto.ErrAlgorithm}, ""},

		"authority away": {edits{set(keyID, "away")}, nil, monitor.DecisionDefer, monitor.VerdictUndecided,
			[]error{auditcrypto.ErrUnavailable}, ""},
		"authority away, content edited": {edits{set(keyID, "away"), edited}, nil, monitor.DecisionDefer, monitor.VerdictUndecided,
			[]error{auditcrypto.ErrUnavailable}, ""},
		"authority away, no key ID": {edits{set(keyID, ""), zeroSignature}, nil, monitor.DecisionDefer, monitor.VerdictUndecided,
			[]error{auditcrypto.ErrUnavailable}, ""},
		"no canonical form": {edits{func(e *monitor.Event) { e.PrincipalID = "\xff" }}, nil,
			monitor.DecisionFail, monitor.VerdictUnverified, []error{auditcrypto.ErrNotCanonical}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := auditcrypto.NewChecker(ring, tt.options).Verify(t.Context(), signed(t, key, tt.edits...))
			monitortest.WantVerdict(t, got, tt.decision, tt.verdict)
			for _, err := range tt.errs {
				if !errors.Is(got.Err, err) {
					t.Errorf("error %q is not %q", got.Err, err)
				}
			}
			if got.Err != nil && strings.Contains(got.Err.Error(), secret) {
				t.Errorf("error %q tells the secret", got.Err)
			}
			wantAlgorithm, wantCovered := "", monitor.Fields(0)
			if tt.key != "" {
				wantAlgorithm = "HMAC-SHA256"
			}
			if tt.verdict == monitor.VerdictVerified {
				wantCovered = auditcrypto.CoveredV1
			}
			if got.KeyID != tt.key || got.Algorithm != wantAlgorithm || got.Covered != wantCovered {
				t.Errorf("key %q, algorithm %q, covered %q, want %q, %q, %q",
					got.KeyID, got.Algorithm, got.Covered, tt.key, wantAlgorithm, wantCovered)
			}
		})
	}
}

// Neither hash nor signature is good as far as it goes.
func TestBadDigitAtTheEnd(t *testing.T) {
	t.Parallel()
	key := hmacKey(t, "k", secret, nil)
	c := checker(t, key)
	hashes, signatures := 0, 0
	for i := range 4096 { // some of them end with two zeros
		e := monitortest.NewEvent(func(e *monitor.Event) { e.PrincipalID = fmt.Sprint("user-", i) })
		sign(t, key, e)
		if hash, ok := strings.CutSuffix(e.Hash, "00"); ok {
			hashes++
			e.Hash = hash + "zz"
			monitortest.WantVerdict(t, c.Verify(t.Context(), e), monitor.DecisionFail, monitor.VerdictHashFieldEdited)
			e.PrincipalID = "intruder"
			monitortest.WantVerdict(t, c.Verify(t.Context(), e), monitor.DecisionFail, monitor.VerdictReplaced)
		} else if signature, ok := strings.CutSuffix(e.Signature, "00"); ok {
			signatures++
			e.Signature = signature + "zz"
			monitortest.WantVerdict(t, c.Verify(t.Context(), e), monitor.DecisionFail, monitor.VerdictForged)
		}
	}
	if hashes == 0 || signatures == 0 {
		t.Errorf("%d hashes and %d signatures end with two zeros", hashes, signatures)
	}
}

// An event that changed its organization was edited, even when its key may not
// sign for the one that it claims now.
func TestEditedOrganization(t *testing.T) {
	t.Parallel()
	key := hmacKey(t, "k", secret, &auditcrypto.KeyOptions{Organizations: []string{"org-1"}})
	moved := func(e *monitor.Event) { e.OrganizationID = "org-2" }
	got := checker(t, key).Verify(t.Context(), signed(t, key, moved))
	monitortest.WantVerdict(t, got, monitor.DecisionFail, monitor.VerdictContentEdited)
}

// Whoever knows a public key cannot use it as an HMAC secret.
func TestKeyConfusion(t *testing.T) {
	t.Parallel()
	public := privateKeys()["ed25519"].Public().(ed25519.PublicKey)
	c := checker(t, check.Must(auditcrypto.NewPublicKey("k", auditcrypto.Ed25519, public, nil))(t))
	forged := signed(t, hmacKey(t, "k", string(public), nil))
	for _, keyID := range []string{"k", ""} {
		for _, algorithm := range []string{"HMAC-SHA256", "ED25519", ""} {
			forged.KeyID, forged.SignatureAlgorithm = keyID, algorithm
			monitortest.WantVerdict(t, c.Verify(t.Context(), forged), monitor.DecisionFail, monitor.VerdictForged)
		}
	}
}

// A signature has one text.
func TestStrictBase64(t *testing.T) {
	t.Parallel()
	key := check.Must(auditcrypto.NewPrivateKey("k", auditcrypto.Ed25519, privateKeys()["ed25519"], nil))(t)
	c := checker(t, key)
	for name, edit := range map[string]func(signature string) string{
		"line break":  func(s string) string { return s[:40] + "\n" + s[40:] },
		"end of line": func(s string) string { return s + "\r\n" },
		"no padding":  func(s string) string { return strings.TrimRight(s, "=") },
		// The last digit before the padding has four bits that mean nothing.
		"loose bits": func(s string) string { return s[:85] + string(s[85]+1) + s[86:] },
	} {
		e := signed(t, key)
		e.Signature = edit(e.Signature)
		if got := c.Verify(t.Context(), e); got.Verdict != monitor.VerdictForged {
			t.Errorf("%s: %v", name, got.Verdict)
		}
	}
}

func TestCertificateDates(t *testing.T) {
	t.Parallel()
	from, to := monitortest.Time().Add(-time.Hour), monitortest.Time().Add(time.Hour)
	private := check.Must(auditcrypto.NewPrivateKey("k", auditcrypto.ECDSASHA256, privateKeys()["ecdsa"], nil))(t)
	certificate := check.Must(auditcrypto.NewCertificateKey("k", auditcrypto.ECDSASHA256,
		newCertificate(t, privateKeys()["ecdsa"], from, to), nil))(t)
	c := checker(t, certificate)
	for _, keyID := range []string{"k", ""} {
		for at, want := range map[time.Time]monitor.Verdict{
			from.Add(-time.Second): monitor.VerdictForged,
			from:                   monitor.VerdictVerified,
			to:                     monitor.VerdictVerified,
			to.Add(time.Second):    monitor.VerdictForged,
		} {
			e := monitortest.NewEvent(func(e *monitor.Event) { e.Timestamp = at })
			sign(t, private, e)
			e.KeyID = keyID
			got := c.Verify(t.Context(), e)
			if got.Verdict != want || (want == monitor.VerdictForged) != errors.Is(got.Err, auditcrypto.ErrKeyExpired) {
				t.Errorf("at %v, key ID %q: %v, %v", at, keyID, got.Verdict, got.Err)
			}
		}
	}
}

func TestNilKeyring(t *testing.T) {
	t.Parallel()
	e := signed(t, hmacKey(t, "k", secret, nil))
	c := auditcrypto.NewChecker(nil, &auditcrypto.Options{AllowHashOnly: true})
	monitortest.WantVerdict(t, c.Verify(t.Context(), e), monitor.DecisionFail, monitor.VerdictForged)
	e.Signature, e.KeyID = "", ""
	monitortest.WantVerdict(t, c.Verify(t.Context(), e), monitor.DecisionAccept, monitor.VerdictHashOnly)
}

// A rotation, step by step, while events of both keys are checked.
func TestRotation(t *testing.T) {
	t.Parallel()
	key := func(id, secret string, state auditcrypto.KeyState) *auditcrypto.Key {
		return hmacKey(t, id, secret, &auditcrypto.KeyOptions{State: state})
	}
	oldEvent := signed(t, key("old", secret, auditcrypto.KeyActive))
	newEvent := signed(t, key("new", otherSecret, auditcrypto.KeyActive))
	unnamed := signed(t, key("old", secret, auditcrypto.KeyActive), func(e *monitor.Event) { e.KeyID = "" })

	c := checker(t, key("old", secret, auditcrypto.KeyActive))
	for i, step := range []struct {
		keys                     []*auditcrypto.Key
		oldValid, newValid, none bool
	}{
		{[]*auditcrypto.Key{key("old", secret, auditcrypto.KeyActive)}, true, false, true},
		{[]*auditcrypto.Key{key("new", otherSecret, auditcrypto.KeyVerifyOnly), key("old", secret, auditcrypto.KeyActive)},
			true, true, true},
		{[]*auditcrypto.Key{key("new", otherSecret, auditcrypto.KeyActive), key("old", secret, auditcrypto.KeyVerifyOnly)},
			true, true, true},
		{[]*auditcrypto.Key{key("new", otherSecret, auditcrypto.KeyActive), key("old", secret, auditcrypto.KeyRevoked)},
			false, true, false},
		{[]*auditcrypto.Key{key("new", otherSecret, auditcrypto.KeyActive)}, false, true, false},
	} {
		c.SetKeyring(keyring(t, step.keys...))
		for name, check := range map[string]struct {
			e     *monitor.Event
			valid bool
		}{"old": {oldEvent, step.oldValid}, "new": {newEvent, step.newValid}, "unnamed": {unnamed, step.none}} {
			got := c.Verify(t.Context(), check.e)
			if (got.Verdict == monitor.VerdictVerified) != check.valid || !check.valid && got.Verdict != monitor.VerdictForged {
				t.Errorf("step %d, %s event: %v, %v", i, name, got.Verdict, got.Err)
			}
		}
	}
}

func TestSetKeyringConcurrently(t *testing.T) {
	t.Parallel()
	key := hmacKey(t, "k", secret, nil)
	e := signed(t, key)
	rings := []*auditcrypto.Keyring{keyring(t, key), keyring(t, hmacKey(t, "other", otherSecret, nil), key)}
	c := auditcrypto.NewChecker(rings[0], nil)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			for n := range 200 {
				c.SetKeyring(rings[(i+n)%2])
				if got := c.Verify(context.Background(), e); got.Verdict != monitor.VerdictVerified {
					errs[i] = fmt.Errorf("%v, %w", got.Verdict, got.Err)
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
