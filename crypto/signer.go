package crypto

import (
	"context"
	"errors"
	"fmt"

	"github.com/auditwarden/auditwarden/monitor"
)

// hashAlgorithm is the value of [monitor.Event.HashAlgorithm].
const hashAlgorithm = "SHA-256"

// A Signer hashes and signs events where they are created. It is safe for
// concurrent use.
type Signer struct{ key *Key }

// NewSigner returns a signer that uses the key. The key must be active and able to
// sign, like a key from [NewHMACKey] or [NewPrivateKey].
func NewSigner(key *Key) (*Signer, error) {
	switch {
	case key == nil:
		return nil, errors.New("crypto: new signer: key: missing")
	case key.state != KeyActive:
		return nil, fmt.Errorf("crypto: new signer: %s is not active", key)
	case key.sign == nil:
		return nil, fmt.Errorf("crypto: new signer: %s can only verify", key)
	}
	return &Signer{key: key}, nil
}

// Sign sets the event's Hash, HashAlgorithm, Signature, SignatureAlgorithm and
// KeyID. It returns [ErrNotCanonical] if the event has no canonical form,
// [ErrKeyForeign] if the key may not sign for its organization, or the error of
// the private key. After an error the event is unchanged.
//
// Call Sign after the last change to the event, and send its timestamp as the
// text that [monitor.Event.TimestampText] returns.
func (s *Signer) Sign(ctx context.Context, e *monitor.Event) error {
	if err := s.key.vouches(e); err != nil {
		return fmt.Errorf("crypto: sign event: %s: %w", s.key, err)
	}
	var memory scratch
	digest, err := memory.hash(e)
	if err != nil {
		return fmt.Errorf("crypto: sign event: %w", err)
	}
	message := memory.message(digest)
	signature, err := s.key.sign(ctx, message)
	if err != nil {
		return fmt.Errorf("crypto: sign event: %s: %w", s.key, err)
	}
	e.Hash, e.HashAlgorithm = string(message), hashAlgorithm
	e.Signature, e.SignatureAlgorithm, e.KeyID = signature, string(s.key.algorithm), s.key.id
	return nil
}
