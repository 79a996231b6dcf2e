package crypto_test

import (
	"bytes"
	"context"
	stdcrypto "crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func newCertificate(t *testing.T, private stdcrypto.Signer, from, to time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to}
	der := check.Must(x509.CreateCertificate(rand.Reader, template, template, private.Public(), private))(t)
	return check.Must(x509.ParseCertificate(der))(t)
}

func TestNewKeyErrors(t *testing.T) {
	t.Parallel()
	keys := privateKeys()
	ed, ec, rs := keys["ed25519"].Public(), keys["ecdsa"].Public(), keys["rsa"].Public()
	p384 := check.Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))(t)
	small := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2046), E: 65537}
	options := func(o auditcrypto.KeyOptions) *auditcrypto.KeyOptions { return &o }
	tests := map[string]struct {
		err  error
		want error
		text string
	}{
		"no ID":           {second(auditcrypto.NewHMACKey("", []byte(secret), nil)), nil, "ID: missing"},
		"short secret":    {second(auditcrypto.NewHMACKey("k", []byte(secret[:31]), nil)), auditcrypto.ErrKeyTooShort, "31 of at least 32"},
		"short, no leave": {second(auditcrypto.NewHMACKey("k", []byte("x"), &auditcrypto.KeyOptions{})), auditcrypto.ErrKeyTooShort, "secret"},
		"empty secret":    {second(auditcrypto.NewHMACKey("k", nil, options(auditcrypto.KeyOptions{AllowShort: true}))), auditcrypto.ErrKeyTooShort, "secret"},
		"no state":        {second(auditcrypto.NewHMACKey("k", []byte(secret), options(auditcrypto.KeyOptions{State: 3}))), nil, "State: 3"},
		"empty organization": {second(auditcrypto.NewHMACKey("k", []byte(secret),
			options(auditcrypto.KeyOptions{Organizations: []string{"org-1", ""}}))), monitor.ErrNoOrganization, "Organizations"},
		"no ID, authority": {second(auditcrypto.NewAuthorityKey("", auditcrypto.Ed25519, authority(nil), nil)), nil, "ID: missing"},
		"private key of another kind": {second(auditcrypto.NewPrivateKey("k", auditcrypto.Ed25519, keys["rsa"], nil)),
			auditcrypto.ErrAlgorithm, "public key"},
		"certificate of another kind": {second(auditcrypto.NewCertificateKey("k", auditcrypto.Ed25519,
			newCertificate(t, keys["rsa"], monitortest.Time(), monitortest.Time()), nil)), auditcrypto.ErrAlgorithm, "public key"},
		"no authority":   {second(auditcrypto.NewAuthorityKey("k", auditcrypto.Ed25519, nil, nil)), nil, "authority: missing"},
		"no private key": {second(auditcrypto.NewPrivateKey("k", auditcrypto.Ed25519, nil, nil)), nil, "private key: missing"},
		"no certificate": {second(auditcrypto.NewCertificateKey("k", auditcrypto.Ed25519, nil, nil)), nil, "certificate: missing"},
		"unknown algorithm, authority": {second(auditcrypto.NewAuthorityKey("k", "none", authority(nil), nil)),
			auditcrypto.ErrAlgorithm, "none"},
		"unknown algorithm":    {second(auditcrypto.NewPublicKey("k", "RSNULL", rs, nil)), auditcrypto.ErrAlgorithm, "RSNULL"},
		"public key for HMAC":  {second(auditcrypto.NewPublicKey("k", auditcrypto.HMACSHA256, ed, nil)), auditcrypto.ErrAlgorithm, "public key"},
		"Ed25519 key for RSA":  {second(auditcrypto.NewPublicKey("k", auditcrypto.RSAPSSSHA256, ed, nil)), auditcrypto.ErrAlgorithm, "public key"},
		"ECDSA key as Ed25519": {second(auditcrypto.NewPublicKey("k", auditcrypto.Ed25519, ec, nil)), auditcrypto.ErrAlgorithm, "public key"},
		"RSA key as ECDSA":     {second(auditcrypto.NewPublicKey("k", auditcrypto.ECDSASHA256, rs, nil)), auditcrypto.ErrAlgorithm, "public key"},
		"P-384":                {second(auditcrypto.NewPublicKey("k", auditcrypto.ECDSASHA256, p384.Public(), nil)), auditcrypto.ErrAlgorithm, "public key"},
		"small RSA key":        {second(auditcrypto.NewPublicKey("k", auditcrypto.RSAPSSSHA256, small, nil)), auditcrypto.ErrKeyTooShort, "2047 of at least 2048"},
		"no public key":        {second(auditcrypto.NewPublicKey("k", auditcrypto.Ed25519, nil, nil)), auditcrypto.ErrAlgorithm, "public key"},
		"cut Ed25519 key":      {second(auditcrypto.NewPublicKey("k", auditcrypto.Ed25519, ed25519.PublicKey("x"), nil)), auditcrypto.ErrAlgorithm, "public key"},
		"empty ECDSA key":      {second(auditcrypto.NewPublicKey("k", auditcrypto.ECDSASHA256, &ecdsa.PublicKey{}, nil)), auditcrypto.ErrAlgorithm, "public key"},
		"nil ECDSA key":        {second(auditcrypto.NewPublicKey("k", auditcrypto.ECDSASHA256, (*ecdsa.PublicKey)(nil), nil)), auditcrypto.ErrAlgorithm, "public key"},
		"empty RSA key":        {second(auditcrypto.NewPublicKey("k", auditcrypto.RSAPSSSHA256, &rsa.PublicKey{}, nil)), auditcrypto.ErrAlgorithm, "public key"},
		"nil RSA key":          {second(auditcrypto.NewPublicKey("k", auditcrypto.RSAPSSSHA256, (*rsa.PublicKey)(nil), nil)), auditcrypto.ErrAlgorithm, "public key"},
	}
	for name, tt := range tests {
		switch {
		case tt.err == nil:
			t.Errorf("%s: no error", name)
		case tt.want != nil && !errors.Is(tt.err, tt.want):
			t.Errorf("%s: error %v is not %v", name, tt.err, tt.want)
		case !strings.Contains(tt.err.Error(), tt.text) || strings.Contains(tt.err.Error(), secret[:31]):
			t.Errorf("%s: error %v, want %q in it", name, tt.err, tt.text)
		}
	}
}

func second(_ *auditcrypto.Key, err error) error { return err }

func TestKeyFromEnv(t *testing.T) {
	t.Setenv("AUDIT_CRYPTO_SECRET", "")
	_, err := auditcrypto.KeyFromEnv("k", nil)
	check.ErrorText(t, "without the variable", err, "crypto: new key: environment variable AUDIT_CRYPTO_SECRET is not set")
	t.Setenv("AUDIT_CRYPTO_SECRET", "c0ffee")
	_, err = auditcrypto.KeyFromEnv("k", nil)
	if !errors.Is(err, auditcrypto.ErrKeyTooShort) || strings.Contains(err.Error(), "c0ffee") {
		t.Errorf("with a short secret: error %v", err)
	}
	// The secret is the text, not what it would be as hex.
	t.Setenv("AUDIT_CRYPTO_SECRET", strings.Repeat("c0ffee", 6))
	k := check.Must(auditcrypto.KeyFromEnv("k", nil))(t)
	e := signed(t, hmacKey(t, "k", strings.Repeat("c0ffee", 6), nil))
	monitortest.WantVerdict(t, checker(t, k).Verify(t.Context(), e), monitor.DecisionAccept, monitor.VerdictVerified)
}

// The secret that a key was made from can be wiped.
func TestSecretIsCopied(t *testing.T) {
	t.Parallel()
	bytes := []byte(secret)
	k := check.Must(auditcrypto.NewHMACKey("k", bytes, nil))(t)
	clear(bytes)
	e := signed(t, hmacKey(t, "k", secret, nil))
	monitortest.WantVerdict(t, checker(t, k).Verify(t.Context(), e), monitor.DecisionAccept, monitor.VerdictVerified)
}

// However a key is printed, it does not show what it holds.
func TestRedaction(t *testing.T) {
	t.Parallel()
	hmac := hmacKey(t, "2026-03", secret, nil)
	private := privateKeys()["ed25519"].(ed25519.PrivateKey)
	ed := check.Must(auditcrypto.NewPrivateKey("2026-04", auditcrypto.Ed25519, private, nil))(t)
	seed := private.Seed()
	var secrets []string
	for _, s := range [][]byte{[]byte(secret), seed} {
		decimal := strings.Trim(fmt.Sprintf("%d", s[:8]), "[]")
		secrets = append(secrets, string(s), hex.EncodeToString(s), fmt.Sprintf("%X", s), decimal)
	}

	ring := keyring(t, hmac, ed)
	signer := check.Must(auditcrypto.NewSigner(hmac))(t)
	values := map[string]any{
		"key": hmac, "private key": ed, "key value": *hmac, "keyring": ring, "keyring value": *ring,
		"signer": signer, "signer value": *signer, "checker": auditcrypto.NewChecker(ring, nil),
		"struct": struct{ K *auditcrypto.Key }{hmac}, "slice": []*auditcrypto.Key{hmac, ed},
	}
	for name, v := range values {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", v)
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, s := range secrets {
			if strings.Contains(out.String(), s) {
				t.Errorf("%s is printed with its secret:\n%s", name, out.String())
			}
		}
	}
	const want = `key "2026-03" (HMAC-SHA256, active)`
	if hmac.String() != want || fmt.Sprintf("%#v", hmac) != want {
		t.Errorf("printed as %v and %#v, want %s", hmac, hmac, want)
	}
	if text := check.Must(json.Marshal(hmac))(t); string(text) != `"key \"2026-03\" (HMAC-SHA256, active)"` {
		t.Errorf("encoded as %s", text)
	}
}

func TestKeyState(t *testing.T) {
	t.Parallel()
	for state, want := range map[auditcrypto.KeyState]string{
		auditcrypto.KeyActive: "active", auditcrypto.KeyVerifyOnly: "verify-only",
		auditcrypto.KeyRevoked: "revoked", 7: "unknown(7)",
	} {
		check.Equal(t, fmt.Sprintf("state %d", uint8(state)), state.String(), want)
	}
	k := hmacKey(t, "k", secret, &auditcrypto.KeyOptions{State: auditcrypto.KeyRevoked})
	if k.ID() != "k" || k.Algorithm() != auditcrypto.HMACSHA256 || k.State() != auditcrypto.KeyRevoked {
		t.Errorf("the key is %q, %s, %v", k.ID(), k.Algorithm(), k.State())
	}
}

func TestKeyFromPEM(t *testing.T) {
	t.Parallel()
	encode := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	certificate := func(from, to time.Duration) []byte {
		c := newCertificate(t, privateKeys()["rsa"], monitortest.Time().Add(from), monitortest.Time().Add(to))
		return encode("CERTIFICATE", c.Raw)
	}
	rs := privateKeys()["rsa"]
	pkcs1 := x509.MarshalPKCS1PublicKey(rs.Public().(*rsa.PublicKey))
	pkcs8 := check.Must(x509.MarshalPKCS8PrivateKey(rs))(t)
	public := encode("PUBLIC KEY", check.Must(x509.MarshalPKIXPublicKey(rs.Public()))(t))

	e := signed(t, check.Must(auditcrypto.NewPrivateKey("k", auditcrypto.RSAPSSSHA256, rs, nil))(t))
	for name, tt := range map[string]struct {
		text []byte
		want monitor.Verdict
	}{
		"public key":                    {public, monitor.VerdictVerified},
		"public key after text":         {append([]byte("the key:\n"), public...), monitor.VerdictVerified},
		"RSA public key":                {encode("RSA PUBLIC KEY", pkcs1), monitor.VerdictVerified},
		"certificate":                   {certificate(-time.Hour, time.Hour), monitor.VerdictVerified},
		"certificate of the day before": {certificate(-24*time.Hour, -time.Hour), monitor.VerdictForged},
	} {
		k, err := auditcrypto.KeyFromPEM("k", auditcrypto.RSAPSSSHA256, tt.text, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := checker(t, k).Verify(t.Context(), e); got.Verdict != tt.want {
			t.Errorf("%s: %v, %v, want %v", name, got.Verdict, got.Err, tt.want)
		}
	}
	for want, text := range map[string][]byte{
		"no block found":               []byte("-----BEGIN"),
		`block "PRIVATE KEY": neither`: encode("PRIVATE KEY", pkcs8),
		`block "PUBLIC KEY": `:         encode("PUBLIC KEY", pkcs1),
		`block "CERTIFICATE": `:        encode("CERTIFICATE", pkcs1),
		`block "RSA PUBLIC KEY": `:     encode("RSA PUBLIC KEY", pkcs8),
		"algorithm not allowed: RSASSA_PSS_SHA_256 does not match a key of type ed25519.PublicKey": encode("PUBLIC KEY",
			check.Must(x509.MarshalPKIXPublicKey(privateKeys()["ed25519"].Public()))(t)),
	} {
		_, err := auditcrypto.KeyFromPEM("k", auditcrypto.RSAPSSSHA256, text, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func FuzzKeyFromPEM(f *testing.F) {
	for _, private := range privateKeys() {
		der := check.Must(x509.MarshalPKIXPublicKey(private.Public()))(f)
		f.Add(string(auditcrypto.Ed25519), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		f.Add(string(auditcrypto.ECDSASHA256), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		f.Add(string(auditcrypto.RSAPSSSHA256), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	f.Add("", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"))
	f.Fuzz(func(t *testing.T, algorithm string, text []byte) {
		k, err := auditcrypto.KeyFromPEM("k", auditcrypto.Algorithm(algorithm), text, nil)
		if (k == nil) != (err != nil) {
			t.Fatalf("key %v, error %v", k, err)
		}
		if err != nil {
			return
		}
		// What was accepted works, and accepts no random signature.
		e := monitortest.NewEvent()
		e.Hash = check.Must(auditcrypto.Hash(e))(t)
		e.Signature = strings.Repeat("AAAA", 86)
		monitortest.WantVerdict(t, checker(t, k).Verify(context.Background(), e), monitor.DecisionFail, monitor.VerdictForged)
	})
}
