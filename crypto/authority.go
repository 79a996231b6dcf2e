package crypto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// An Authority is a service that verifies signatures outside this process, such as
// a key management service. It must be safe for concurrent use.
type Authority interface {
	// Verify returns nil for a valid signature and [ErrBadSignature] for one that is
	// definitely invalid. Any other error means that the authority could not decide;
	// the event is then undecided. Verify may keep message and signature.
	Verify(ctx context.Context, message, signature []byte) error
}

// NewAuthorityKey returns a key whose signatures an authority verifies. The
// message is the 64 hex characters of the hash; the signature is decoded.
func NewAuthorityKey(id string, algorithm Algorithm, authority Authority, opts *KeyOptions) (*Key, error) {
	k, err := newKey(id, algorithm, opts)
	if err != nil {
		return nil, err
	}
	if authority == nil {
		return nil, k.errorf("authority: missing")
	}
	k.verify = func(ctx context.Context, message []byte, signature string) error {
		raw, err := decodeSignature(algorithm, signature)
		if err != nil {
			return ErrBadSignature
		}
		err = authority.Verify(ctx, bytes.Clone(message), raw)
		if err == nil || errors.Is(err, ErrBadSignature) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return k, nil
}

// decodeSignature returns the bytes of a signature's text.
func decodeSignature(algorithm Algorithm, text string) ([]byte, error) {
	if algorithm != HMACSHA256 {
		return decodeBase64(text)
	}
	code, ok := decodeHex(text)
	if !ok {
		return nil, ErrBadSignature
	}
	return code[:], nil
}
