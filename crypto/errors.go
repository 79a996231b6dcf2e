package crypto

import "errors"

// The errors about an event or a key, to be tested with [errors.Is].
var (
	// ErrNotCanonical: a field is missing or is not UTF-8, so that the event
	// has no canonical form and no hash. It is wrapped in a
	// monitor.InvalidEventError that names the field.
	ErrNotCanonical = errors.New("no canonical form")
	// ErrUnhashed: the event has no hash.
	ErrUnhashed = errors.New("event has no hash")
	// ErrUnsigned: the event has no signature.
	ErrUnsigned = errors.New("event has no signature")
	// ErrHashMismatch: the hash is not that of the content.
	ErrHashMismatch = errors.New("hash does not match the content")
	// ErrBadSignature: the signature does not verify. An [Authority] returns it
	// for a signature that is definitely invalid.
	ErrBadSignature = errors.New("signature does not verify")
	// ErrUnknownKey: no key in the keyring has that ID, or none has that
	// algorithm.
	ErrUnknownKey = errors.New("unknown key")
	// ErrKeyRevoked: the key is revoked.
	ErrKeyRevoked = errors.New("key is revoked")
	// ErrKeyForeign: the key may not sign for that organization.
	ErrKeyForeign = errors.New("key may not sign for the organization")
	// ErrKeyExpired: the event's time is outside the validity of the key's
	// certificate.
	ErrKeyExpired = errors.New("key is not valid at the time of the event")
	// ErrAlgorithm: the algorithm is unknown, or is not that of the key.
	ErrAlgorithm = errors.New("algorithm not allowed")
	// ErrUnavailable: the authority of the key could not tell.
	ErrUnavailable = errors.New("key authority unavailable")
	// ErrKeyTooShort: an HMAC secret has less than 32 bytes, an RSA key less
	// than 2,048 bits.
	ErrKeyTooShort = errors.New("key too short")
)
