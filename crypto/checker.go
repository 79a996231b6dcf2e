package crypto

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Checker verifies events. It is a [monitor.Verifier] and is safe for concurrent
// use. Verifying an HMAC signature does not allocate.
type Checker struct {
	keyring atomic.Pointer[Keyring]
	options Options
	scratch sync.Pool // of *scratch
}

// Options are the options of [NewChecker]. By default an event must have both a
// hash and a signature; each option weakens this.
type Options struct {
	// AllowHashOnly accepts events that have a correct hash and no signature. Anybody
	// who can change an event can then replace the hash and remove the signature.
	AllowHashOnly bool
	// AllowUnhashed accepts events that have neither hash nor signature. Anybody
	// who can change an event can then remove both.
	AllowUnhashed bool
}

// NewChecker returns a checker that uses the keyring. If keyring is nil, there are
// no keys. If opts is nil, the defaults apply.
func NewChecker(keyring *Keyring, opts *Options) *Checker {
	c := &Checker{options: *cmp.Or(opts, &Options{})}
	c.scratch.New = func() any { return new(scratch) }
	c.SetKeyring(keyring)
	return c
}

// SetKeyring replaces the keyring. Calls of Verify that have already started use
// the old one. If keyring is nil, there are no keys.
func (c *Checker) SetKeyring(keyring *Keyring) {
	c.keyring.Store(cmp.Or(keyring, &Keyring{}))
}

// Verify checks the event's hash and signature against its content. The package
// comment has a table of the verdicts. Verify passes ctx to an [Authority].
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
	intact := wellFormed && stored == digest // not secret, so the comparison need not take constant time
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
			KeyID: key.id, Algorithm: string(key.algorithm), OrganizationID: key.organization,
		}
	case intact:
		return failed(monitor.VerdictForged, reason)
	case reason == nil:
		return signed(monitor.VerdictHashFieldEdited, key)
	}

	// The content is not what was hashed, so its organization and time say nothing
	// about the key.
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

// release gives the memory back, unless an unusually large event made it large.
func (c *Checker) release(s *scratch) {
	const keep = 64 << 10
	if cap(s.canonical) <= keep {
		c.scratch.Put(s)
	}
}
