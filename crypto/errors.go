package crypto

import "errors"

// The errors about an event or a key. Test for them with [errors.Is].
var (
	// ErrNotCanonical means that a required field is missing or a field is not UTF-8,
	// so that the event has no canonical form. A [monitor.InvalidEventError] that
	// names the field wraps it.
	ErrNotCanonical = errors.New("no canonical form")
	// ErrUnhashed means that the event has no hash.
	ErrUnhashed = errors.New("event has no hash")
	// ErrUnsigned means that the event has no signature.
	ErrUnsigned = errors.New("event has no signature")
	// ErrHashMismatch means that the hash does not match the content.
	ErrHashMismatch = errors.New("hash does not match the content")
	// ErrBadSignature means that the signature is invalid. An [Authority] returns it
	// for a signature that is definitely invalid.
	ErrBadSignature = errors.New("signature does not verify")
	// ErrUnknownKey means that no key in the keyring has the ID that the event names
	// or, if it names none, the algorithm.
	ErrUnknownKey = errors.New("unknown key")
	// ErrKeyRevoked means that the key is revoked.
	ErrKeyRevoked = errors.New("key is revoked")
	// ErrKeyForeign means that the key may not sign for the event's organization.
	ErrKeyForeign = errors.New("key may not sign for the organization")
	// ErrKeyExpired means that the event's timestamp is outside the validity period
	// of the key's certificate.
	ErrKeyExpired = errors.New("key is not valid at the time of the event")
	// ErrAlgorithm means that the algorithm is unknown or does not match the key.
	ErrAlgorithm = errors.New("algorithm not allowed")
	// ErrUnavailable means that the key's [Authority] could not decide now.
	ErrUnavailable = errors.New("key authority unavailable")
	// ErrKeyTooShort means that an HMAC secret has fewer than 32 bytes, or an RSA key
	// fewer than 2,048 bits.
	ErrKeyTooShort = errors.New("key too short")
)
