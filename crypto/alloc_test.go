//go:build !race

package crypto_test

import (
	"context"
	"testing"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
)

// Verifying an HMAC signature does not allocate, whether the event names its
// key or not.
func TestVerifyDoesNotAllocate(t *testing.T) {
	key := hmacKey(t, "k", secret, nil)
	foreign := hmacKey(t, "foreign", otherSecret, &auditcrypto.KeyOptions{Organizations: []string{"org-2"}})
	c := checker(t, foreign, hmacKey(t, "other", otherSecret, nil), key)
	for name, e := range map[string]*monitor.Event{
		"named":   signed(t, key),
		"unnamed": signed(t, key, func(e *monitor.Event) { e.KeyID = "" }),
		"edited":  signed(t, key, func(e *monitor.Event) { e.PrincipalID, e.KeyID = "intruder", "" }),
	} {
		ctx := context.Background()
		if n := testing.AllocsPerRun(1000, func() { c.Verify(ctx, e) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestAppendCanonicalDoesNotAllocate(t *testing.T) {
	e := signed(t, hmacKey(t, "k", secret, nil))
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(1000, func() {
		var err error
		if buf, err = auditcrypto.AppendCanonical(buf[:0], e); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
