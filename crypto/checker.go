package crypto

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Checker verifies events. It is a [monitor.Verifier] and safe for concurrent
// use. Verifying an HMAC signature does not allocate.
type Checker struct {
	keyring atomic.Pointer[Keyring]
	options Options
	scratch sync.Pool // of *scratch
}

// Options weaken what a [Checker] demands. Nil demands hash and signature.
type Options struct {
	// AllowHashOnly accepts events with a right hash and no signature. Whoever
	// can change an event can then hash it again and strip the signature.
	AllowHashOnly bool
	// AllowUnhashed accepts events that have neither hash nor signature.
	// Whoever can change an event can then strip both.
	AllowUnhashed bool
}

// NewChecker returns a checker with the keys of the keyring; nil is a keyring
// without keys.
func NewChecker(keyring *Keyring, opts *Options) *Checker {
	c := &Checker{}
	if opts != nil {
		c.options = *opts
	}
	c.scratch.New = func() any { return new(scratch) }
	c.SetKeyring(keyring)
	return c
}

// SetKeyring makes the calls of Verify that start after it use another keyring;
// nil is one without keys.
func (c *Checker) SetKeyring(keyring *Keyring) {
	if keyring == nil {
		keyring = &Keyring{}
	}
	c.keyring.Store(keyring)
}

// Verify checks the event's hash and signature against its content. The table
// of verdicts is in the package comment. The context is for keys with an
// [Authority].
func (c *Checker) Verify(ctx context.Context, e *monitor.Event) monitor.Verification {
	if e.Hash == "" {
		if c.options.AllowUnhashed && e.Signature == "" {
			return monitor.Verification{Verdict: monitor.VerdictUnhashed}
		}
		return failed(monitor.VerdictUnhashed, ErrUnhashed)
	}
	if e.HashAlgorithm != "" && e.HashAlgorithm != hashAlgorithm {
		return failed(monitor.VerdictForged, fmt.Errorf("%w: hash: %.40q", ErrAlgorithm, e.HashAlgorithm))
	}

	s := c.scratch.Get().(*scratch) //nolint:errcheck,forcetypeassert // the pool's only type
	defer c.release(s)
	digest, err := s.hash(e)
	if err != nil {
		return failed(monitor.VerdictUnverified, err)
	}
	message := s.message(digest)
	stored, wellFormed := digest, true
	if e.Hash != string(message) { // not the same text; it may still be the same hash
		stored, wellFormed = decodeHex(e.Hash)
	}
	intact := wellFormed && stored == digest // no secret, so that the time it takes tells nothing
	if e.Signature == "" {
		switch {
		case !intact:
			return failed(monitor.VerdictReplaced, ErrHashMismatch)
		case c.options.AllowHashOnly:
			return monitor.Verification{Verdict: monitor.VerdictHashOnly}
		default:
			return failed(monitor.VerdictHashOnly, ErrUnsigned)
		}
	}

	keyring := c.keyring.Load()
	key, reason := keyring.verify(ctx, e, message, true)
	switch {
	case errors.Is(reason, ErrUnavailable):
		return undecided(reason)
	case intact && reason == nil:
		return monitor.Verification{
			Verdict: monitor.VerdictVerified, Covered: CoveredV1,
			KeyID: key.id, Algorithm: string(key.algorithm),
		}
	case intact:
		return failed(monitor.VerdictForged, reason)
	case reason == nil:
		return signed(monitor.VerdictHashFieldEdited, key)
	}

	// The content is not what was hashed, so that its organization and time are
	// no reason to doubt the key.
	if wellFormed {
		key, err := keyring.verify(ctx, e, s.message(stored), false)
		switch {
		case errors.Is(err, ErrUnavailable):
			return undecided(err)
		case err == nil:
			return signed(monitor.VerdictContentEdited, key)
		}
	}
	return failed(monitor.VerdictReplaced, fmt.Errorf("%w; %w", ErrHashMismatch, reason))
}

func failed(verdict monitor.Verdict, err error) monitor.Verification {
	return monitor.Verification{Decision: monitor.DecisionFail, Verdict: verdict, Err: err}
}

// signed is a failure of an event whose signature is genuine.
func signed(verdict monitor.Verdict, key *Key) monitor.Verification {
	v := failed(verdict, ErrHashMismatch)
	v.KeyID, v.Algorithm = key.id, string(key.algorithm)
	return v
}

func undecided(err error) monitor.Verification {
	return monitor.Verification{Decision: monitor.DecisionDefer, Verdict: monitor.VerdictUndecided, Err: err}
}

// scratch is the memory that one verification needs.
type scratch struct {
	canonical []byte
	text      [2 * sha256.Size]byte
}

func (s *scratch) hash(e *monitor.Event) (digest [sha256.Size]byte, err error) {
	s.canonical, err = AppendCanonical(s.canonical[:0], e)
	if err != nil {
		return digest, err
	}
	return sha256.Sum256(s.canonical), nil
}

// message returns what is signed for a digest. It is valid until the next call.
func (s *scratch) message(digest [sha256.Size]byte) []byte {
	hex.Encode(s.text[:], digest[:])
	return s.text[:]
}

// release gives the memory back, unless an unusually large event made it large.
func (c *Checker) release(s *scratch) {
	const keep = 64 << 10
	if cap(s.canonical) <= keep {
		c.scratch.Put(s)
	}
}
