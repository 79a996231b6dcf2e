package crypto_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	stdcrypto "crypto"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func TestSigner(t *testing.T) {
	t.Parallel()
	e := signed(t, hmacKey(t, "2026-03", secret, nil))
	want := monitortest.NewEvent(func(w *monitor.Event) {
		w.Hash, w.HashAlgorithm = must(auditcrypto.Hash(w))(t), "SHA-256"
		w.Signature, w.SignatureAlgorithm, w.KeyID = e.Signature, "HMAC-SHA256", "2026-03"
	})
	if !reflect.DeepEqual(e, want) {
		t.Errorf("signed event is\n%+v\nwant\n%+v", e, want)
	}
}

func TestNewSignerErrors(t *testing.T) {
	t.Parallel()
	state := func(s auditcrypto.KeyState) *auditcrypto.Key {
		return hmacKey(t, "k", secret, &auditcrypto.KeyOptions{State: s})
	}
	public := must(auditcrypto.NewPublicKey("k", auditcrypto.Ed25519, privateKeys()["ed25519"].Public(), nil))(t)
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
	token := must(auditcrypto.NewPrivateKey("k", auditcrypto.Ed25519, brokenSigner{privateKeys()["ed25519"], broken}, nil))(t)
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
		err := must(auditcrypto.NewSigner(tt.key))(t).Sign(context.Background(), e)
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
