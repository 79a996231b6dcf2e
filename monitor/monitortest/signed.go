package monitortest

import (
	"context"
	"testing"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
)

// Sign hashes and signs an event, as whoever makes it does, and returns it. Changing
// the event afterwards is tampering.
func Sign(tb testing.TB, e *monitor.Event) *monitor.Event {
	tb.Helper()
	signer, err := crypto.NewSigner(key(tb))
	if err != nil {
		tb.Fatal(err)
	}
	if err := signer.Sign(context.Background(), e); err != nil {
		tb.Fatal(err)
	}
	return e
}

// Verifier returns a verifier that accepts what [Sign] has signed.
func Verifier(tb testing.TB) monitor.Verifier {
	tb.Helper()
	keys, err := crypto.NewKeyring(key(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return crypto.NewChecker(keys, nil)
}

func key(tb testing.TB) *crypto.Key {
	tb.Helper()
	k, err := crypto.NewHMACKey("test", []byte("the secret of all tests, 32 bytes"), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}
