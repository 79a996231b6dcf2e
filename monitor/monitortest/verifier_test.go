package monitortest_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func signer(t *testing.T, secret string) (*auditcrypto.Key, func(e *monitor.Event)) {
	t.Helper()
	key, err := auditcrypto.NewHMACKey("k", []byte(secret), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := auditcrypto.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, func(e *monitor.Event) {
		if err := s.Sign(context.Background(), e); err != nil {
			t.Error(err)
		}
	}
}

// A verifier with one flaw fails those cases of the suite, and no others.
func TestRunVerifierFindsFlaws(t *testing.T) {
	t.Parallel()
	key, sign := signer(t, "0123456789abcdef0123456789abcdef")
	wrongKey, signWrong := signer(t, "fedcba9876543210fedcba9876543210")
	h := monitortest.VerifierHarness{Sign: sign, SignWrong: signWrong}
	checker := func(key *auditcrypto.Key, opts *auditcrypto.Options) *auditcrypto.Checker {
		ring, err := auditcrypto.NewKeyring(key)
		if err != nil {
			t.Fatal(err)
		}
		return auditcrypto.NewChecker(ring, opts)
	}
	good := checker(key, nil)
	// forgiving repairs a copy of the event before it looks at it.
	forgiving := func(repair func(e *monitor.Event)) monitor.VerifierFunc {
		return func(ctx context.Context, e *monitor.Event) monitor.Verification {
			repaired := *e
			repair(&repaired)
			return good.Verify(ctx, &repaired)
		}
	}
	// judging changes the answer.
	judging := func(change func(v *monitor.Verification)) monitor.VerifierFunc {
		return func(ctx context.Context, e *monitor.Event) monitor.Verification {
			v := good.Verify(ctx, e)
			change(&v)
			return v
		}
	}
	accept := func(v *monitor.Verification) {
		*v = monitor.Verification{Verdict: monitor.VerdictVerified, Covered: auditcrypto.CoveredV1}
	}
	acceptIf := func(verdicts ...monitor.Verdict) monitor.VerifierFunc {
		return judging(func(v *monitor.Verification) {
			if slices.Contains(verdicts, v.Verdict) {
				accept(v)
			}
		})
	}
	cutTo := func(s *string, n int) { *s = (*s)[:min(n, len(*s))] }
	resign := func(e *monitor.Event) (hash, signature string) {
		again := *e
		sign(&again)
		return again.Hash, again.Signature
	}

	rejections := []string{
		"covered_fields", "concurrent", "swapped_fields", "wrong_key", "unknown_key_id",
		"hash_flipped", "hash_truncated", "hash_extended", "hash_stripped",
		"signature_flipped", "signature_truncated", "signature_extended", "signature_stripped", "everything_stripped",
		"algorithm_none", "algorithm_swapped", "hash_algorithm_swapped", "signature_is_hash", "rehashed",
		"replayed_signature",
	}
	tests := map[string]struct {
		verifier monitor.Verifier
		want     []string
	}{
		"none":        {good, nil},
		"accepts all": {judging(accept), rejections},
		"accepts nothing": {judging(func(v *monitor.Verification) {
			v.Decision, v.Verdict, v.Err = monitor.DecisionFail, monitor.VerdictForged, auditcrypto.ErrBadSignature
		}), []string{"accepts", "concurrent"}},
		"gives no reason": {judging(func(v *monitor.Verification) { v.Err = nil }),
			slices.DeleteFunc(slices.Clone(rejections), func(name string) bool { return name == "concurrent" })},
		"cannot decide": {judging(func(v *monitor.Verification) {
			if v.Decision == monitor.DecisionFail {
				v.Decision = monitor.DecisionDefer
			}
		}), rejections},
		"covers nothing":  {judging(func(v *monitor.Verification) { v.Covered = 0 }), []string{"accepts", "covered_fields"}},
		"covers too much": {judging(func(v *monitor.Verification) { v.Covered |= monitor.FieldDetails }), []string{"covered_fields"}},
		"trusts the hash": {acceptIf(monitor.VerdictContentEdited),
			[]string{"covered_fields", "concurrent", "swapped_fields", "replayed_signature"}},
		"trusts the content": {acceptIf(monitor.VerdictHashFieldEdited),
			[]string{"hash_flipped", "hash_truncated", "hash_extended"}},
		"takes unsigned": {checker(key, &auditcrypto.Options{AllowHashOnly: true}), []string{"signature_stripped"}},
		"takes unhashed": {checker(key, &auditcrypto.Options{AllowUnhashed: true}), []string{"everything_stripped"}},
		"makes up a hash": {forgiving(func(e *monitor.Event) {
			if e.Hash == "" {
				e.Hash, _ = resign(e)
			}
		}), []string{"hash_stripped"}},
		"ignores the key ID":         {forgiving(func(e *monitor.Event) { e.KeyID = "" }), []string{"unknown_key_id"}},
		"ignores the algorithm":      {forgiving(func(e *monitor.Event) { e.SignatureAlgorithm = "" }), []string{"algorithm_none", "algorithm_swapped"}},
		"ignores the hash algorithm": {forgiving(func(e *monitor.Event) { e.HashAlgorithm = "" }), []string{"hash_algorithm_swapped"}},
		"cuts the hash":              {forgiving(func(e *monitor.Event) { cutTo(&e.Hash, 64) }), []string{"hash_extended"}},
		"cuts the signature":         {forgiving(func(e *monitor.Event) { cutTo(&e.Signature, 64) }), []string{"signature_extended"}},
		"compares what there is of the hash": {forgiving(func(e *monitor.Event) {
			if hash, _ := resign(e); e.Hash != "" && strings.HasPrefix(hash, e.Hash) {
				e.Hash = hash
			}
		}), []string{"hash_truncated"}},
		"compares what there is of the signature": {forgiving(func(e *monitor.Event) {
			if _, signature := resign(e); e.Signature != "" && strings.HasPrefix(signature, e.Signature) {
				e.Signature = signature
			}
		}), []string{"signature_truncated"}},
		"takes the hash for a signature": {forgiving(func(e *monitor.Event) {
			if e.Signature != "" && e.Signature == e.Hash {
				_, e.Signature = resign(e)
			}
		}), []string{"signature_is_hash"}},
		"takes any signature": {acceptIf(monitor.VerdictForged), []string{
			"wrong_key", "unknown_key_id", "signature_flipped", "signature_truncated", "signature_extended",
			"algorithm_none", "algorithm_swapped", "hash_algorithm_swapped", "signature_is_hash", "rehashed",
		}},
		"mixes fields up": {forgiving(func(e *monitor.Event) {
			if strings.HasPrefix(e.PrincipalID, "org-") {
				e.PrincipalID, e.OrganizationID = e.OrganizationID, e.PrincipalID
			}
		}), []string{"swapped_fields"}},
		"knows the wrong key": {monitor.VerifierFunc(func(ctx context.Context, e *monitor.Event) monitor.Verification {
			if v := good.Verify(ctx, e); v.Decision == monitor.DecisionAccept {
				return v
			}
			return checker(wrongKey, nil).Verify(ctx, e)
		}), []string{"wrong_key"}},
		"changes the event": {monitor.VerifierFunc(func(ctx context.Context, e *monitor.Event) monitor.Verification {
			delete(e.Details, "a")
			return good.Verify(ctx, e)
		}), []string{"event_unchanged"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := monitortest.FailedVerifierCases(t, h, func() monitor.Verifier { return tt.verifier })
			slices.Sort(got)
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("failed cases\n%q\nwant\n%q", got, tt.want)
			}
		})
	}

	t.Run("wears out", func(t *testing.T) {
		t.Parallel()
		got := monitortest.FailedVerifierCases(t, h, func() monitor.Verifier {
			var calls atomic.Int64
			return judging(func(v *monitor.Verification) {
				if calls.Add(1) > 100 {
					accept(v)
				}
			})
		})
		if !slices.Equal(got, []string{"concurrent"}) {
			t.Errorf("failed cases %q", got)
		}
	})
}

func TestRunVerifier(t *testing.T) {
	t.Parallel()
	key, sign := signer(t, "0123456789abcdef0123456789abcdef")
	_, signWrong := signer(t, "fedcba9876543210fedcba9876543210")
	monitortest.RunVerifier(t, monitortest.VerifierHarness{
		New: func(t *testing.T) monitor.Verifier {
			t.Helper()
			return auditcrypto.NewChecker(check.Must(auditcrypto.NewKeyring(key))(t), nil)
		},
		Sign: sign, SignWrong: signWrong,
	})
}
