package crypto

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/auditwarden/auditwarden/monitor"
)

// maxCandidates is how many keys are tried for an event that names none.
const maxCandidates = 8

// A Keyring is a set of keys. It is immutable and safe for concurrent use. To
// rotate keys, pass a new keyring to [Checker.SetKeyring].
type Keyring struct {
	byID        map[string]*Key
	byAlgorithm map[Algorithm][]*Key
	// The algorithm that all keys have, or empty.
	algorithm Algorithm
}

// NewKeyring returns a keyring with these keys. Pass the newest key first, because
// an event that names no key is only checked with the first eight keys of its
// algorithm that may sign for its organization. Key IDs must be unique.
func NewKeyring(keys ...*Key) (*Keyring, error) {
	r := &Keyring{byID: make(map[string]*Key, len(keys)), byAlgorithm: make(map[Algorithm][]*Key)}
	for i, k := range keys {
		if k == nil || k.verify == nil {
			return nil, fmt.Errorf("crypto: new keyring: key number %d: missing", i)
		}
		if r.byID[k.id] != nil {
			return nil, fmt.Errorf("crypto: new keyring: two keys have the ID %q", k.id)
		}
		r.byID[k.id] = k
		r.byAlgorithm[k.algorithm] = append(r.byAlgorithm[k.algorithm], k)
		r.algorithm = k.algorithm
	}
	if len(r.byAlgorithm) > 1 {
		r.algorithm = ""
	}
	return r, nil
}

// verify returns the key that made the event's signature over the message, or the
// reason why there is none. Claims are as in [Key.admits].
func (r *Keyring) verify(ctx context.Context, e *monitor.Event, message []byte, claims bool) (*Key, error) {
	if e.KeyID == "" {
		return r.try(ctx, e, message, claims)
	}
	k := r.byID[e.KeyID]
	if k == nil {
		return nil, fmt.Errorf("%w: %.64q", ErrUnknownKey, e.KeyID)
	}
	algorithm := cmp.Or(Algorithm(e.SignatureAlgorithm), k.algorithm)
	err := k.admits(e, algorithm, claims)
	if err == nil {
		err = k.verify(ctx, message, e.Signature)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k, err)
	}
	return k, nil
}

// try does the same as verify for an event that names no key.
func (r *Keyring) try(ctx context.Context, e *monitor.Event, message []byte, claims bool) (*Key, error) {
	algorithm := cmp.Or(Algorithm(e.SignatureAlgorithm), r.algorithm)
	if _, known := algorithm.hash(); !known {
		return nil, fmt.Errorf("%w: %.40q", ErrAlgorithm, algorithm)
	}
	reason, tried := ErrUnknownKey, 0
	for _, k := range r.byAlgorithm[algorithm] {
		if err := k.admits(e, algorithm, claims); err != nil {
			if tried == 0 {
				reason = err
			}
			continue
		}
		if tried++; tried > maxCandidates {
			break
		}
		err := k.verify(ctx, message, e.Signature)
		if err == nil {
			return k, nil
		}
		if tried == 1 || errors.Is(err, ErrUnavailable) {
			reason = err
		}
	}
	return nil, reason
}
