package crypto_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// benchEvent has the text of its timestamp, as an event that was received.
func benchEvent(b *testing.B) *monitor.Event {
	b.Helper()
	e := monitortest.NewEvent()
	check.NoError(b, "set timestamp", e.SetTimestampText("2026-03-02T10:00:00.000Z"))
	return e
}

func benchSigned(b *testing.B, key *auditcrypto.Key, edit func(e *monitor.Event)) *monitor.Event {
	b.Helper()
	e := benchEvent(b)
	sign(b, key, e)
	edit(e)
	return e
}

// BenchmarkBare is what a Checker cannot do without: canonical form, SHA-256,
// HMAC with a key hashed in before, and hex for both.
func BenchmarkBare(b *testing.B) {
	e := benchEvent(b)
	var canonical, digest, code []byte
	mac := hmac.New(sha256.New, []byte(secret))
	b.ReportAllocs()
	for b.Loop() {
		canonical, _ = auditcrypto.AppendCanonical(canonical[:0], e)
		sum := sha256.Sum256(canonical)
		digest = hex.AppendEncode(digest[:0], sum[:])
		mac.Reset()
		mac.Write(digest)
		code = mac.Sum(code[:0])
		digest = hex.AppendEncode(digest[:0], code)
	}
}

func BenchmarkChecker(b *testing.B) {
	public := privateKeys()["ed25519"]
	for _, bench := range []struct {
		name   string
		key    *auditcrypto.Key
		edit   func(e *monitor.Event)
		accept bool
	}{
		{"hmac", hmacKey(b, "k", secret, nil), func(*monitor.Event) {}, true},
		{"hmac-unnamed", hmacKey(b, "k", secret, nil), func(e *monitor.Event) { e.KeyID = "" }, true},
		{"hmac-edited", hmacKey(b, "k", secret, nil), func(e *monitor.Event) { e.PrincipalID = "intruder" }, false},
		{"ed25519", check.Must(auditcrypto.NewPrivateKey("k", auditcrypto.Ed25519, public, nil))(b), func(*monitor.Event) {}, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			c, e, ctx := checker(b, bench.key), benchSigned(b, bench.key, bench.edit), context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if v := c.Verify(ctx, e); (v.Decision == monitor.DecisionAccept) != bench.accept {
					b.Fatal(v.Err)
				}
			}
		})
	}
	b.Run("hmac-parallel", func(b *testing.B) {
		key := hmacKey(b, "k", secret, nil)
		c, e := checker(b, key), benchSigned(b, key, func(*monitor.Event) {})
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if v := c.Verify(context.Background(), e); v.Err != nil {
					b.Error(v.Err)
				}
			}
		})
	})
}

func BenchmarkAppendCanonical(b *testing.B) {
	e := benchEvent(b)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = auditcrypto.AppendCanonical(buf[:0], e)
	}
}

func BenchmarkSigner(b *testing.B) {
	s := check.Must(auditcrypto.NewSigner(hmacKey(b, "k", secret, nil)))(b)
	e := benchEvent(b)
	b.ReportAllocs()
	for b.Loop() {
		check.NoError(b, "sign", s.Sign(context.Background(), e))
	}
}
