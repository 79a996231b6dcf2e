package crypto

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Key verifies signatures of one algorithm, and makes them if it is a secret
// or private key. It is made by one of the functions below, does not change and
// is safe for concurrent use. However it is printed, it shows its ID, algorithm
// and state and never what it holds.
type Key struct {
	id            string
	algorithm     Algorithm
	state         KeyState
	organizations map[string]bool // empty: any
	// Validity of the certificate; zero without one.
	notBefore, notAfter time.Time
	// Secrets live in these closures only, where no printer reaches them.
	verify func(ctx context.Context, message []byte, signature string) error
	sign   func(ctx context.Context, message []byte) (string, error) // nil: cannot sign
}

// KeyOptions are the optional properties of a key. Nil means the defaults.
type KeyOptions struct {
	// State defaults to [KeyActive].
	State KeyState
	// Organizations are those that the key may sign for. Empty means any, and
	// events without an organization too; a key that is restricted never
	// vouches for those.
	Organizations []string
	// AllowShort admits an HMAC secret of less than 32 bytes, for secrets from
	// the time of the reference.
	AllowShort bool
}

// KeyState says what a key is good for.
type KeyState uint8

const (
	// KeyActive keys sign and verify.
	KeyActive KeyState = iota
	// KeyVerifyOnly keys verify: not yet in use, or rotated out.
	KeyVerifyOnly
	// KeyRevoked keys vouch for nothing: their signatures are forgeries.
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

// newKey returns a key that lacks its functions.
func newKey(id string, algorithm Algorithm, opts *KeyOptions) (*Key, error) {
	if opts == nil {
		opts = &KeyOptions{}
	}
	k := &Key{id: id, algorithm: algorithm, state: opts.State}
	if id == "" {
		return nil, errors.New("crypto: new key: ID: missing")
	}
	if _, known := algorithm.hash(); !known {
		return nil, k.errorf("Algorithm: %.40q: %w", algorithm, ErrAlgorithm)
	}
	if opts.State > KeyRevoked {
		return nil, k.errorf("State: %d is no state", opts.State)
	}
	if len(opts.Organizations) > 0 {
		k.organizations = make(map[string]bool, len(opts.Organizations))
	}
	for _, organization := range opts.Organizations {
		if organization == "" {
			return nil, k.errorf("Organizations: %w", monitor.ErrNoOrganization)
		}
		k.organizations[organization] = true
	}
	return k, nil
}

func (k *Key) errorf(format string, args ...any) error {
	return fmt.Errorf("crypto: new key %q: %w", k.id, fmt.Errorf(format, args...))
}

// admits tells why the key cannot have signed the event with that algorithm.
// With claims, it must also be a key that may sign an event of that
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

// vouches tells why the key may not sign an event of that organization and time.
func (k *Key) vouches(e *monitor.Event) error {
	switch {
	case len(k.organizations) > 0 && !k.organizations[e.OrganizationID]:
		return ErrKeyForeign
	case k.notAfter.IsZero():
		return nil
	case e.Timestamp.Before(k.notBefore) || e.Timestamp.After(k.notAfter):
		return ErrKeyExpired
	default:
		return nil
	}
}

// ID returns the key's ID, the keyId of the events that it signs.
func (k *Key) ID() string { return k.id }

// Algorithm returns the key's algorithm.
func (k *Key) Algorithm() Algorithm { return k.algorithm }

// State returns what the key is good for.
func (k *Key) State() KeyState { return k.state }

// String returns ID, algorithm and state.
func (k *Key) String() string { return fmt.Sprintf("key %q (%s, %s)", k.id, k.algorithm, k.state) }

// GoString returns what String does.
func (k *Key) GoString() string { return k.String() }

// MarshalText returns what String does, for logs.
func (k *Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
