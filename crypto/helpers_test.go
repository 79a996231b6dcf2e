package crypto_test

import (
	"bufio"
	"context"
	stdcrypto "crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"sync"
	"testing"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// secret and otherSecret are two HMAC secrets of 32 bytes.
const (
	secret      = "0123456789abcdef0123456789abcdef"
	otherSecret = "fedcba9876543210fedcba9876543210"
)

func hmacKey(tb testing.TB, id, secret string, opts *auditcrypto.KeyOptions) *auditcrypto.Key {
	tb.Helper()
	return check.Must(auditcrypto.NewHMACKey(id, []byte(secret), opts))(tb)
}

func keyring(tb testing.TB, keys ...*auditcrypto.Key) *auditcrypto.Keyring {
	tb.Helper()
	return check.Must(auditcrypto.NewKeyring(keys...))(tb)
}

func checker(tb testing.TB, keys ...*auditcrypto.Key) *auditcrypto.Checker {
	tb.Helper()
	return auditcrypto.NewChecker(keyring(tb, keys...), nil)
}

func sign(tb testing.TB, key *auditcrypto.Key, e *monitor.Event) {
	tb.Helper()
	check.NoError(tb, "sign", check.Must(auditcrypto.NewSigner(key))(tb).Sign(context.Background(), e))
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
	f := check.Must(os.Open(name))(t)
	defer f.Close()
	var values []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		check.NoError(t, "decode", json.Unmarshal(lines.Bytes(), &v))
		values = append(values, v)
	}
	check.NoError(t, "read lines", lines.Err())
	return values
}
