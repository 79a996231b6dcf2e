package crypto_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// authority is a function that is an Authority.
type authority func(ctx context.Context, message, signature []byte) error

func (a authority) Verify(ctx context.Context, message, signature []byte) error {
	return a(ctx, message, signature)
}

func TestAuthority(t *testing.T) {
	t.Parallel()
	outage := errors.New("connection refused")
	tests := map[string]struct {
		reply    error
		decision monitor.Decision
		verdict  monitor.Verdict
		err      error
	}{
		"valid":        {nil, monitor.DecisionAccept, monitor.VerdictVerified, nil},
		"invalid":      {auditcrypto.ErrBadSignature, monitor.DecisionFail, monitor.VerdictForged, auditcrypto.ErrBadSignature},
		"invalid, why": {fmt.Errorf("service: %w", auditcrypto.ErrBadSignature), monitor.DecisionFail, monitor.VerdictForged, auditcrypto.ErrBadSignature},
		"outage":       {outage, monitor.DecisionDefer, monitor.VerdictUndecided, outage},
		"timeout":      {context.DeadlineExceeded, monitor.DecisionDefer, monitor.VerdictUndecided, context.DeadlineExceeded},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type key struct{}
			ctx := context.WithValue(t.Context(), key{}, "passed on")
			e := signed(t, hmacKey(t, "k", secret, nil))
			asked := 0
			k := check.Must(auditcrypto.NewAuthorityKey("k", auditcrypto.HMACSHA256, authority(
				func(ctx context.Context, message, signature []byte) error {
					asked++
					if string(message) != e.Hash || fmt.Sprintf("%x", signature) != e.Signature || ctx.Value(key{}) == nil {
						t.Errorf("asked for message %q, signature %x", message, signature)
					}
					return tt.reply
				}), nil))(t)
			got := checker(t, k).Verify(ctx, e)
			monitortest.WantVerdict(t, got, tt.decision, tt.verdict)
			if !errors.Is(got.Err, tt.err) || errors.Is(got.Err, auditcrypto.ErrUnavailable) != (tt.decision == monitor.DecisionDefer) {
				t.Errorf("error %v", got.Err)
			}
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

// An authority may go away between two questions about the same event.
func TestAuthorityGoesAway(t *testing.T) {
	t.Parallel()
	replies := []error{auditcrypto.ErrBadSignature, errors.New("timeout")}
	k := check.Must(auditcrypto.NewAuthorityKey("k", auditcrypto.HMACSHA256, authority(
		func(context.Context, []byte, []byte) (err error) {
			err, replies = replies[0], replies[1:]
			return err
		}), nil))(t)
	e := signed(t, hmacKey(t, "k", secret, nil), func(e *monitor.Event) { e.PrincipalID = "intruder" })
	monitortest.WantVerdict(t, checker(t, k).Verify(t.Context(), e), monitor.DecisionDefer, monitor.VerdictUndecided)
}

// While one of several candidates cannot be asked, nothing is known.
func TestAuthorityAmongCandidates(t *testing.T) {
	t.Parallel()
	away := check.Must(auditcrypto.NewAuthorityKey("away", auditcrypto.HMACSHA256, authority(
		func(context.Context, []byte, []byte) error { return errors.New("timeout") }), nil))(t)
	other := hmacKey(t, "other", otherSecret, nil)
	e := signed(t, hmacKey(t, "k", secret, nil), func(e *monitor.Event) { e.KeyID = "" })
	for _, keys := range [][]*auditcrypto.Key{{away, other}, {other, away}} {
		monitortest.WantVerdict(t, checker(t, keys...).Verify(t.Context(), e), monitor.DecisionDefer, monitor.VerdictUndecided)
	}
	e = signed(t, other, func(e *monitor.Event) { e.KeyID = "" })
	monitortest.WantVerdict(t, checker(t, away, other).Verify(t.Context(), e), monitor.DecisionAccept, monitor.VerdictVerified)
}

// A signature that is no base64 is nothing to ask an authority about.
func TestAuthorityMalformed(t *testing.T) {
	t.Parallel()
	for algorithm, malformed := range map[auditcrypto.Algorithm]string{
		auditcrypto.RSAPSSSHA256: "%%%", auditcrypto.HMACSHA256: "abc",
	} {
		k := check.Must(auditcrypto.NewAuthorityKey("k", algorithm, authority(
			func(context.Context, []byte, []byte) error { return errors.New("asked") }), nil))(t)
		e := signed(t, hmacKey(t, "k", secret, nil))
		e.Signature, e.SignatureAlgorithm = malformed, string(algorithm)
		monitortest.WantVerdict(t, checker(t, k).Verify(t.Context(), e), monitor.DecisionFail, monitor.VerdictForged)
	}
}

// Garbage with the ID of a key whose authority is down costs one time-out, not one
// an event, and nothing of the time of other keys.
func TestAuthorityIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down, asked := true, 0
		slow := check.Must(auditcrypto.NewAuthorityKey("slow", auditcrypto.HMACSHA256, authority(
			func(ctx context.Context, _, _ []byte) error {
				asked++
				if down {
					<-ctx.Done()
					return ctx.Err()
				}
				return auditcrypto.ErrBadSignature
			}), nil))(t)
		local := hmacKey(t, "local", secret, nil)
		c := checker(t, slow, local)
		verify := func(ctx context.Context, key string) monitor.Decision {
			e := signed(t, local)
			e.KeyID = key
			return c.Verify(ctx, e).Decision
		}
		want := func(ctx context.Context, key string, decision monitor.Decision, took time.Duration, calls int) {
			t.Helper()
			begin, before := time.Now(), asked
			check.Equal(t, "decision", verify(ctx, key), decision)
			check.Equal(t, "took", time.Since(begin), took)
			check.Equal(t, "asked", asked-before, calls)
		}
		want(t.Context(), "slow", monitor.DecisionDefer, 3*time.Second, 1)
		for range 5 {
			want(t.Context(), "slow", monitor.DecisionDefer, 0, 0)
			want(t.Context(), "local", monitor.DecisionAccept, 0, 0)
		}
		<-time.After(30*time.Second - 1)
		want(t.Context(), "slow", monitor.DecisionDefer, 0, 0)
		<-time.After(1)
		short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		want(short, "slow", monitor.DecisionDefer, 10*time.Millisecond, 1)
		want(t.Context(), "slow", monitor.DecisionDefer, 0, 0)
		<-time.After(time.Second)

		canceled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		want(canceled, "slow", monitor.DecisionDefer, time.Second, 1) // the caller gave up
		down = false
		for range 5 {
			want(t.Context(), "slow", monitor.DecisionFail, 0, 1) // it works
		}
	})
}

// An authority may keep message and signature after it has returned.
func TestAuthorityMayKeep(t *testing.T) {
	t.Parallel()
	var kept, signature []byte
	k := check.Must(auditcrypto.NewAuthorityKey("k", auditcrypto.HMACSHA256, authority(
		func(_ context.Context, m, s []byte) error { kept, signature = m, s; return nil }), nil))(t)
	c := checker(t, k, hmacKey(t, "other", secret, nil))
	c.Verify(t.Context(), signed(t, hmacKey(t, "k", secret, nil)))
	message, value := bytes.Clone(kept), bytes.Clone(signature)
	for range 10 {
		e := monitortest.NewEvent(func(e *monitor.Event) { e.PrincipalID = "user-2" })
		sign(t, hmacKey(t, "other", secret, nil), e)
		monitortest.WantVerdict(t, c.Verify(t.Context(), e), monitor.DecisionAccept, monitor.VerdictVerified)
	}
	if !bytes.Equal(kept, message) || !bytes.Equal(signature, value) || len(kept) != 64 {
		t.Errorf("message is %q, was %q", kept, message)
	}
}
