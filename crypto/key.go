package crypto

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Key verifies signatures of one algorithm. An HMAC key or a private key can
// also sign. A key is immutable and safe for concurrent use. Printing a key shows
// its ID, algorithm and state, and never the secret.
type Key struct {
	id            string
	algorithm     Algorithm
	state         KeyState
	organizations map[string]bool // empty: any
	organization  string          // the only one, if there is one
	// Validity of the certificate; zero without one.
	notBefore, notAfter time.Time
	// Secrets live in these closures only, where no printer reaches them.
	verify func(ctx context.Context, message []byte, signature string) error
	sign   func(ctx context.Context, message []byte) (string, error) // nil: cannot sign
}

// KeyOptions are the optional properties of a key. They may be nil.
type KeyOptions struct {
	// State defaults to [KeyActive].
	State KeyState
	// Organizations are the organizations whose events the key may sign. If it is
	// empty, the key may sign all events.
	//
	// An event that names no organization belongs to the one of its key. So a monitor
	// only accepts such an event if its key has exactly one organization: give the key
	// of a host with a single tenant the name of that tenant. A key with several
	// organizations may not sign such events.
	Organizations []string
	// AllowShort allows an HMAC secret of fewer than 32 bytes, for a secret that an
	// older system already uses.
	AllowShort bool
}

// KeyState says what a key may be used for.
type KeyState uint8

const (
	// KeyActive means that the key signs and verifies.
	KeyActive KeyState = iota
	// KeyVerifyOnly means that the key verifies but does not sign, because it is not
	// yet or no longer in use.
	KeyVerifyOnly
	// KeyRevoked means that the key does neither. Events signed with it are forged.
	KeyRevoked
)

// String returns active, verify-only or revoked.
func (s KeyState) String() string {
	switch s {
	case KeyActive:
		return "active"
	case KeyVerifyOnly:
		return "verify-only"
	case KeyRevoked:
		return "revoked"
	default:
		return fmt.Sprintf("unknown(%d)", uint8(s))
	}
}

// newKey returns a key that cannot verify or sign yet.
func newKey(id string, algorithm Algorithm, opts *KeyOptions) (*Key, error) {
	opts = cmp.Or(opts, &KeyOptions{})
	k := &Key{id: id, algorithm: algorithm, state: opts.State}
	if id == "" {
		return nil, errors.New("crypto: new key: ID: missing")
	}
	if _, known := algorithm.hash(); !known {
		return nil, k.errorf("Algorithm: %.40q: %w", algorithm, ErrAlgorithm)
	}
	if opts.State > KeyRevoked {
		return nil, k.errorf("State: %d is not a KeyState", opts.State)
	}
	if len(opts.Organizations) > 0 {
		k.organizations = make(map[string]bool, len(opts.Organizations))
	}
	for _, organization := range opts.Organizations {
		if err := monitor.CheckOrganization(organization); err != nil {
			return nil, k.errorf("Organizations: %w", err)
		}
		k.organizations[organization] = true
		k.organization = organization
	}
	if len(k.organizations) > 1 {
		k.organization = ""
	}
	return k, nil
}

func (k *Key) errorf(format string, args ...any) error {
	return fmt.Errorf("crypto: new key %q: %w", k.id, fmt.Errorf(format, args...))
}

// admits returns why the key cannot have signed the event with that algorithm,
// or nil. With claims, the key must also be allowed to sign an event with that
// organization and time.
func (k *Key) admits(e *monitor.Event, algorithm Algorithm, claims bool) error {
	switch {
	case algorithm != k.algorithm:
		return ErrAlgorithm
	case k.state == KeyRevoked:
		return ErrKeyRevoked
	case claims:
		return k.vouches(e)
	default:
		return nil
	}
}

// vouches returns why the key may not sign an event with that organization and
// time, or nil.
func (k *Key) vouches(e *monitor.Event) error {
	switch {
	case !k.serves(e.OrganizationID):
		return ErrKeyForeign
	case k.notAfter.IsZero():
		return nil
	case e.Timestamp.Before(k.notBefore) || e.Timestamp.After(k.notAfter):
		return ErrKeyExpired
	default:
		return nil
	}
}

// serves reports whether the key may sign for an organization, or for an event
// that names none.
func (k *Key) serves(organization string) bool {
	return len(k.organizations) == 0 || k.organizations[organization] || organization == "" && k.organization != ""
}

// ID returns the key's ID, the [monitor.Event.KeyID] of the events that it signs.
func (k *Key) ID() string { return k.id }

// Algorithm returns the key's algorithm.
func (k *Key) Algorithm() Algorithm { return k.algorithm }

// State returns what the key may be used for.
func (k *Key) State() KeyState { return k.state }

// String returns the key's ID, algorithm and state.
func (k *Key) String() string { return fmt.Sprintf("key %q (%s, %s)", k.id, k.algorithm, k.state) }

// GoString returns the same text as String.
func (k *Key) GoString() string { return k.String() }

// MarshalText returns the same text as String.
func (k *Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
