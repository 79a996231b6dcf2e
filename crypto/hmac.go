package crypto

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"sync"
)

const (
	secretVariable = "AUDIT_CRYPTO_SECRET" //nolint:gosec // the name, not the secret
	minSecret      = 32                    // bytes
)

// NewHMACKey returns an HMAC-SHA256 key, which signs and verifies. It uses the
// bytes of the secret as they are and does not decode hex or base64. The error is
// [ErrKeyTooShort] for an empty secret and, unless AllowShort is set, for a secret
// of fewer than 32 bytes.
func NewHMACKey(id string, secret []byte, opts *KeyOptions) (*Key, error) {
	k, err := newKey(id, HMACSHA256, opts)
	if err != nil {
		return nil, err
	}
	short := len(secret) < minSecret && (opts == nil || !opts.AllowShort)
	if short || len(secret) == 0 {
		return nil, k.errorf("secret: %w: %d of at least %d bytes", ErrKeyTooShort, len(secret), minSecret)
	}
	states := newHMACStates(secret)
	k.verify = func(_ context.Context, message []byte, signature string) error {
		want, ok := decodeHex(signature)
		s := states.get()
		defer states.put(s)
		if !hmac.Equal(s.mac(message), want[:]) || !ok {
			return ErrBadSignature
		}
		return nil
	}
	k.sign = func(_ context.Context, message []byte) (string, error) {
		s := states.get()
		defer states.put(s)
		return hex.EncodeToString(s.mac(message)), nil
	}
	return k, nil
}

// KeyFromEnv returns an HMAC key. The secret is the value of the environment
// variable AUDIT_CRYPTO_SECRET. No other function reads the environment.
func KeyFromEnv(id string, opts *KeyOptions) (*Key, error) {
	secret := os.Getenv(secretVariable)
	if secret == "" {
		return nil, errors.New("crypto: new key: environment variable " + secretVariable + " is not set")
	}
	k, err := NewHMACKey(id, []byte(secret), opts)
	if err != nil {
		return nil, fmt.Errorf("crypto: environment variable %s: %w", secretVariable, err)
	}
	return k, nil
}

// hmacStates is a pool of HMAC states that have the key hashed in.
type hmacStates struct{ pool sync.Pool }

type hmacState struct {
	hash hash.Hash
	sum  [sha256.Size]byte
}

func newHMACStates(secret []byte) *hmacStates {
	secret = bytes.Clone(secret)
	p := &hmacStates{}
	p.pool.New = func() any {
		s := &hmacState{hash: hmac.New(sha256.New, secret)}
		// Reset after a Sum makes the state keep the hashed key, which saves
		// half of the work from then on.
		s.mac(nil)
		s.hash.Reset()
		return s
	}
	return p
}

func (p *hmacStates) get() *hmacState  { return p.pool.Get().(*hmacState) } //nolint:errcheck,forcetypeassert // the pool's only type
func (p *hmacStates) put(s *hmacState) { p.pool.Put(s) }

// mac returns the code of the message. It is valid until the next call.
func (s *hmacState) mac(message []byte) []byte {
	s.hash.Reset()
	s.hash.Write(message)
	return s.hash.Sum(s.sum[:0])
}

// decodeHex reads 64 hex digits of either case.
func decodeHex(text string) (value [sha256.Size]byte, ok bool) {
	var digits [2 * sha256.Size]byte
	if len(text) != len(digits) {
		return value, false
	}
	copy(digits[:], text)
	_, err := hex.Decode(value[:], digits[:])
	return value, err == nil
}
