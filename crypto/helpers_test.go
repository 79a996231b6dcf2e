package crypto_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"sync"
	"testing"

	stdcrypto "crypto"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// secret and otherSecret are two HMAC secrets of 32 bytes.
const (
	secret      = "0123456789abcdef0123456789abcdef"
	otherSecret = "fedcba9876543210fedcba9876543210"
)

// must returns the value, and ends the test with an error.
func must[T any](v T, err error) func(tb testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func hmacKey(tb testing.TB, id, secret string, opts *auditcrypto.KeyOptions) *auditcrypto.Key {
	tb.Helper()
	return must(auditcrypto.NewHMACKey(id, []byte(secret), opts))(tb)
}

func keyring(tb testing.TB, keys ...*auditcrypto.Key) *auditcrypto.Keyring {
	tb.Helper()
	return must(auditcrypto.NewKeyring(keys...))(tb)
}

func checker(tb testing.TB, keys ...*auditcrypto.Key) *auditcrypto.Checker {
	tb.Helper()
	return auditcrypto.NewChecker(keyring(tb, keys...), nil)
}

func sign(tb testing.TB, key *auditcrypto.Key, e *monitor.Event) {
	tb.Helper()
	if err := must(auditcrypto.NewSigner(key))(tb).Sign(context.Background(), e); err != nil {
		tb.Fatal(err)
	}
}

// signed returns an event signed with the key, and then edited.
func signed(tb testing.TB, key *auditcrypto.Key, edits ...func(e *monitor.Event)) *monitor.Event {
	tb.Helper()
	e := monitortest.NewEvent()
	sign(tb, key, e)
	for _, edit := range edits {
		edit(e)
	}
	return e
}

// privateKeys are made once, since RSA keys take long.
var privateKeys = sync.OnceValue(func() map[string]stdcrypto.Signer {
	_, ed, err1 := ed25519.GenerateKey(rand.Reader)
	ec, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rs, err3 := rsa.GenerateKey(rand.Reader, 2048)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			panic(err)
		}
	}
	return map[string]stdcrypto.Signer{"ed25519": ed, "ecdsa": ec, "rsa": rs}
})

// publicAlgorithms are all but HMAC, with the private key that goes with them.
func publicAlgorithms() map[auditcrypto.Algorithm]stdcrypto.Signer {
	keys := privateKeys()
	return map[auditcrypto.Algorithm]stdcrypto.Signer{
		auditcrypto.Ed25519:        keys["ed25519"],
		auditcrypto.ECDSASHA256:    keys["ecdsa"],
		auditcrypto.RSAPSSSHA256:   keys["rsa"],
		auditcrypto.RSAPSSSHA384:   keys["rsa"],
		auditcrypto.RSAPSSSHA512:   keys["rsa"],
		auditcrypto.RSAPKCS1SHA256: keys["rsa"],
		auditcrypto.RSAPKCS1SHA384: keys["rsa"],
		auditcrypto.RSAPKCS1SHA512: keys["rsa"],
	}
}

// readLines decodes a file of JSON lines.
func readLines[T any](t *testing.T, name string) []T {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var values []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}
