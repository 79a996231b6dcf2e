package crypto_test

import (
	"context"
	stdcrypto "crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func TestSigner(t *testing.T) {
	t.Parallel()
	e := signed(t, hmacKey(t, "2026-03", secret, nil))
	want := monitortest.NewEvent(func(w *monitor.Event) {
		w.Hash, w.HashAlgorithm = check.Must(auditcrypto.Hash(w))(t), "SHA-256"
		w.Signature, w.SignatureAlgorithm, w.KeyID = e.Signature, "HMAC-SHA256", "2026-03"
	})
	if !reflect.DeepEqual(e, want) {
		t.Errorf("signed event is\n%+v\nwant\n%+v", e, want)
	}
}

// What a signer makes, the standard library verifies, and the other way round.
func TestSignatures(t *testing.T) {
	t.Parallel()
	sha := func(h stdcrypto.Hash, message []byte) []byte {
		d := h.New()
		d.Write(message)
		return d.Sum(nil)
	}
	salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	ed := privateKeys()["ed25519"].Public().(ed25519.PublicKey)
	ec := privateKeys()["ecdsa"].Public().(*ecdsa.PublicKey)
	rs := privateKeys()["rsa"].(*rsa.PrivateKey)
	pss := func(h stdcrypto.Hash) func(m, sig []byte) bool {
		return func(m, sig []byte) bool { return rsa.VerifyPSS(&rs.PublicKey, h, sha(h, m), sig, salt) == nil }
	}
	pkcs1 := func(h stdcrypto.Hash) func(m, sig []byte) bool {
		return func(m, sig []byte) bool { return rsa.VerifyPKCS1v15(&rs.PublicKey, h, sha(h, m), sig) == nil }
	}
	verifiers := map[auditcrypto.Algorithm]func(message, signature []byte) bool{
		"ED25519":            func(m, sig []byte) bool { return ed25519.Verify(ed, m, sig) },
		"ECDSA_SHA_256":      func(m, sig []byte) bool { return ecdsa.VerifyASN1(ec, sha(stdcrypto.SHA256, m), sig) },
		"RSASSA_PSS_SHA_256": pss(stdcrypto.SHA256), "RSASSA_PKCS1_V1_5_SHA_256": pkcs1(stdcrypto.SHA256),
		"RSASSA_PSS_SHA_384": pss(stdcrypto.SHA384), "RSASSA_PKCS1_V1_5_SHA_384": pkcs1(stdcrypto.SHA384),
		"RSASSA_PSS_SHA_512": pss(stdcrypto.SHA512), "RSASSA_PKCS1_V1_5_SHA_512": pkcs1(stdcrypto.SHA512),
	}
	algorithms := publicAlgorithms()
	for algorithm, verify := range verifiers {
		e := signed(t, check.Must(auditcrypto.NewPrivateKey("k", algorithm, algorithms[algorithm], nil))(t))
		raw := check.Must(base64.StdEncoding.DecodeString(e.Signature))(t)
		if !verify([]byte(e.Hash), raw) {
			t.Errorf("%s: the signature is not one over the text of the hash", algorithm)
		}
	}

	// OpenSSL and Node make the salt as long as they can.
	e := signed(t, check.Must(auditcrypto.NewPrivateKey("k", auditcrypto.RSAPSSSHA256, rs, nil))(t))
	raw := check.Must(rsa.SignPSS(rand.Reader, rs, stdcrypto.SHA256, sha(stdcrypto.SHA256, []byte(e.Hash)), nil))(t)
	e.Signature = base64.StdEncoding.EncodeToString(raw)
	c := checker(t, check.Must(auditcrypto.NewPublicKey("k", auditcrypto.RSAPSSSHA256, rs.Public(), nil))(t))
	monitortest.WantVerdict(t, c.Verify(t.Context(), e), monitor.DecisionAccept, monitor.VerdictVerified)
}

func TestNewSignerErrors(t *testing.T) {
	t.Parallel()
	state := func(s auditcrypto.KeyState) *auditcrypto.Key {
		return hmacKey(t, "k", secret, &auditcrypto.KeyOptions{State: s})
	}
	public := check.Must(auditcrypto.NewPublicKey("k", auditcrypto.Ed25519, privateKeys()["ed25519"].Public(), nil))(t)
	for _, tt := range []struct {
		key  *auditcrypto.Key
		want string
	}{
		{nil, "key: missing"},
		{state(auditcrypto.KeyVerifyOnly), "is not active"},
		{state(auditcrypto.KeyRevoked), "is not active"},
		{public, "can only verify"},
	} {
		if _, err := auditcrypto.NewSigner(tt.key); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: error %v, want %s", tt.key, err, tt.want)
		}
	}
}

func TestSignErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("token removed")
	token := check.Must(auditcrypto.NewPrivateKey("k", auditcrypto.Ed25519, brokenSigner{privateKeys()["ed25519"], broken}, nil))(t)
	restricted := hmacKey(t, "k", secret, &auditcrypto.KeyOptions{Organizations: []string{"org-2"}})
	for name, tt := range map[string]struct {
		key  *auditcrypto.Key
		edit func(e *monitor.Event)
		want error
	}{
		"not canonical": {hmacKey(t, "k", secret, nil), func(e *monitor.Event) { e.Status = "" }, auditcrypto.ErrNotCanonical},
		"foreign":       {restricted, func(*monitor.Event) {}, auditcrypto.ErrKeyForeign},
		"broken":        {token, func(*monitor.Event) {}, broken},
	} {
		e := monitortest.NewEvent(tt.edit)
		before := *e
		err := check.Must(auditcrypto.NewSigner(tt.key))(t).Sign(context.Background(), e)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
		if !reflect.DeepEqual(*e, before) {
			t.Errorf("%s: the event was changed", name)
		}
	}
}

// brokenSigner cannot sign.
type brokenSigner struct {
	stdcrypto.Signer
	err error
}

func (s brokenSigner) Sign(io.Reader, []byte, stdcrypto.SignerOpts) ([]byte, error) {
	return nil, s.err
}
