package crypto_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
)

// An event is signed where it is made and checked where it arrives.
func Example() {
	ctx := context.Background()
	key, err := auditcrypto.NewHMACKey("2026-03", []byte("a secret of at least 32 bytes ..."), nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	signer, err := auditcrypto.NewSigner(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	event := &monitor.Event{
		Timestamp:      time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		Action:         "data.read",
		Status:         monitor.StatusSuccess,
		PrincipalID:    "user-1",
		OrganizationID: "org-1",
	}
	if err := signer.Sign(ctx, event); err != nil {
		fmt.Println(err)
		return
	}

	keyring, err := auditcrypto.NewKeyring(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	checker := auditcrypto.NewChecker(keyring, nil)
	v := checker.Verify(ctx, event)
	fmt.Println(v.Decision, v.Verdict, v.KeyID)

	event.PrincipalID = "user-2"
	v = checker.Verify(ctx, event)
	fmt.Println(v.Decision, v.Verdict, v.Err)
	// Output:
	// accept verified 2026-03
	// fail content_edited hash does not match the content
}

func ExampleAppendCanonical() {
	event := &monitor.Event{
		Timestamp:   time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		Action:      "data.read",
		Status:      monitor.StatusSuccess,
		PrincipalID: `the "admin"`,
	}
	canonical, err := auditcrypto.AppendCanonical(nil, event)
	fmt.Println(string(canonical), err)
	// Output:
	// action:"data.read"|organizationId:null|outcomeDescription:null|principalId:"the \"admin\""|status:"success"|targetResourceId:null|targetResourceType:null|timestamp:"2026-03-02T10:00:00.000Z" <nil>
}

// A new key is given to the checker before anybody signs with it.
func ExampleChecker_SetKeyring() {
	ctx := context.Background()
	oldKey, err := auditcrypto.NewHMACKey("2026-03", []byte("a secret of at least 32 bytes ..."), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	newKey, err := auditcrypto.NewHMACKey("2026-04", []byte("another secret of 32 bytes or more"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := auditcrypto.NewSigner(newKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	event := &monitor.Event{Timestamp: time.Unix(1772445600, 0), Action: "data.read", Status: monitor.StatusSuccess}
	if err := signer.Sign(ctx, event); err != nil {
		fmt.Println(err)
		return
	}

	before, err := auditcrypto.NewKeyring(oldKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	after, err := auditcrypto.NewKeyring(newKey, oldKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	checker := auditcrypto.NewChecker(before, nil)
	fmt.Println(checker.Verify(ctx, event).Verdict)
	checker.SetKeyring(after)
	fmt.Println(checker.Verify(ctx, event).Verdict)
	// Output:
	// forged
	// verified
}

// A private key in memory, in a token or in an agent signs. Those who verify need
// only the public key.
func ExampleNewPrivateKey() {
	ctx := context.Background()
	private := ed25519.NewKeyFromSeed([]byte("a seed that is random, 32 bytes."))
	key, err := auditcrypto.NewPrivateKey("emitter-1", auditcrypto.Ed25519, private, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := auditcrypto.NewSigner(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	event := &monitor.Event{Timestamp: time.Unix(1772445600, 0), Action: "data.read", Status: monitor.StatusSuccess, OrganizationID: "org-1"}
	if err := signer.Sign(ctx, event); err != nil {
		fmt.Println(err)
		return
	}

	public, err := auditcrypto.NewPublicKey("emitter-1", auditcrypto.Ed25519, private.Public(),
		&auditcrypto.KeyOptions{State: auditcrypto.KeyVerifyOnly, Organizations: []string{"org-1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	keyring, err := auditcrypto.NewKeyring(public)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(public.ID(), public.Algorithm(), public.State())
	fmt.Println(auditcrypto.NewChecker(keyring, nil).Verify(ctx, event).Verdict)
	// Output:
	// emitter-1 ED25519 verify-only
	// verified
}

func ExampleKeyFromPEM() {
	key, err := auditcrypto.KeyFromPEM("emitter-1", auditcrypto.Ed25519, []byte(`-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`), nil)
	fmt.Println(key, err)
	// Output:
	// key "emitter-1" (ED25519, active) <nil>
}

// keyService stands for a service that holds the key and may be unavailable.
type keyService struct{ available bool }

func (s keyService) Verify(_ context.Context, _, _ []byte) error {
	if !s.available {
		return errors.New("connection refused")
	}
	return auditcrypto.ErrBadSignature
}

// An event is undecided, and not forged, as long as the service is unavailable.
func ExampleNewAuthorityKey() {
	event := &monitor.Event{
		Timestamp: time.Unix(1772445600, 0), Action: "data.read", Status: monitor.StatusSuccess,
		KeyID: "service-1", Signature: "AAAA",
	}
	var err error
	if event.Hash, err = auditcrypto.Hash(event); err != nil {
		fmt.Println(err)
		return
	}
	for _, available := range []bool{false, true} {
		key, err := auditcrypto.NewAuthorityKey("service-1", auditcrypto.ECDSASHA256, keyService{available}, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		keyring, err := auditcrypto.NewKeyring(key)
		if err != nil {
			fmt.Println(err)
			return
		}
		v := auditcrypto.NewChecker(keyring, nil).Verify(context.Background(), event)
		fmt.Println(v.Decision, v.Verdict, errors.Is(v.Err, auditcrypto.ErrUnavailable))
	}
	// Output:
	// defer undecided true
	// fail forged false
}

func ExampleKeyFromEnv() {
	// Whoever starts the program sets the variable, from a vault.
	if err := os.Setenv("AUDIT_CRYPTO_SECRET", "a secret of at least 32 bytes ..."); err != nil {
		fmt.Println(err)
		return
	}
	key, err := auditcrypto.KeyFromEnv("2026-03", nil)
	fmt.Println(key, err)
	// Output:
	// key "2026-03" (HMAC-SHA256, active) <nil>
}

// Events with a timestamp outside the certificate's validity fail.
func ExampleNewCertificateKey() {
	private := ed25519.NewKeyFromSeed([]byte("a seed that is random, 32 bytes."))
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: from.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		fmt.Println(err)
		return
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := auditcrypto.NewCertificateKey("emitter-1", auditcrypto.Ed25519, certificate, nil)
	fmt.Println(key, err)
	// Output:
	// key "emitter-1" (ED25519, active) <nil>
}
