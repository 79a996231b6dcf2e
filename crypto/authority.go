package crypto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/internal/breaker"
)

// An Authority is a service that verifies signatures outside this process, such as
// a key management service. It must be safe for concurrent use.
type Authority interface {
	// Verify returns nil for a valid signature and [ErrBadSignature] for one that is
	// definitely invalid. Any other error means that the authority could not decide;
	// the event is then undecided. Verify must return when ctx ends, which it does
	// after at most 3 seconds. It may keep message and signature.
	Verify(ctx context.Context, message, signature []byte) error
}

const (
	// authorityTimeout is how long a call to an authority may take.
	authorityTimeout = 3 * time.Second
	// An authority that could not decide is left alone for so many times as long as
	// its call took, so that a goroutine spends little of its time waiting for it, and
	// at least for authorityPause.
	authorityPauses = 10
	authorityPause  = time.Second
)

// NewAuthorityKey returns a key whose signatures an authority verifies. The
// message is the 64 hex characters of the hash; the signature is decoded.
//
// Anybody can send events with the key's ID and a made-up signature. Therefore, an
// authority that could not decide is left alone for a while, in which events are
// undecided without asking it: for ten times as long as it took, at least for a
// second.
func NewAuthorityKey(id string, algorithm Algorithm, authority Authority, opts *KeyOptions) (*Key, error) {
	k, err := newKey(id, algorithm, opts)
	if err != nil {
		return nil, err
	}
	if authority == nil {
		return nil, k.errorf("authority: missing")
	}
	asked := &askedAuthority{Authority: authority, breaker: breaker.Breaker{Threshold: 1, Pause: authorityPause}}
	k.verify = func(ctx context.Context, message []byte, signature string) error {
		raw, err := decodeSignature(algorithm, signature)
		if err != nil {
			return ErrBadSignature
		}
		return asked.verify(ctx, bytes.Clone(message), raw)
	}
	return k, nil
}

// An askedAuthority is left alone while it cannot decide.
type askedAuthority struct {
	Authority

	breaker breaker.Breaker
}

var errPaused = errors.New("it could not decide a moment ago")

func (a *askedAuthority) verify(ctx context.Context, message, signature []byte) error {
	began := time.Now()
	if a.breaker.Open(began) {
		return fmt.Errorf("%w: %w", ErrUnavailable, errPaused)
	}
	limited, cancel := context.WithTimeout(ctx, authorityTimeout)
	defer cancel()
	err := a.Authority.Verify(limited, message, signature)
	if err == nil || errors.Is(err, ErrBadSignature) {
		a.breaker.Succeed()
		return err
	}
	if !errors.Is(ctx.Err(), context.Canceled) { // that would say nothing about the authority
		now := time.Now()
		a.breaker.Fail(authorityPauses*now.Sub(began), now)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
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
