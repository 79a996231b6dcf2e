// Package crypto protects audit events against change: it hashes and signs them
// where they are made ([Signer]) and checks them where they arrive ([Checker],
// a [monitor.Verifier]).
//
// The package shadows crypto of the standard library. A file that needs both
// imports this one as auditcrypto.
//
// # Verdicts
//
// An event carries the SHA-256 of its canonical form ([AppendCanonical]) and a
// signature over the 64 hex characters of that hash. This is what a [Checker]
// makes of the two; the error matches the sentinel with [errors.Is]:
//
//	event                                        verdict          outcome   error
//	hash and signature agree with the content    Verified         Accepted  none
//	hash agrees, no signature                    HashOnly         Failed*   ErrUnsigned
//	no hash                                      Unhashed         Failed**  ErrUnhashed
//	hash differs, signature fits the content     HashFieldEdited  Failed    ErrHashMismatch
//	hash differs, signature fits that hash       ContentEdited    Failed    ErrHashMismatch
//	hash differs, signature fits neither         Replaced         Failed    ErrHashMismatch, and one of Forged
//	hash differs, no signature                   Replaced         Failed    ErrHashMismatch
//	hash agrees, signature does not              Forged           Failed    ErrBadSignature
//	  key is not in the keyring                  Forged           Failed    ErrUnknownKey
//	  key is revoked                             Forged           Failed    ErrKeyRevoked
//	  key is not for the event's organization    Forged           Failed    ErrKeyForeign
//	  certificate not valid at the event's time  Forged           Failed    ErrKeyExpired
//	  algorithm unknown or not the key's         Forged           Failed    ErrAlgorithm
//	hash algorithm is not SHA-256                Forged           Failed    ErrAlgorithm
//	the key's authority cannot answer            Undecided        Deferred  ErrUnavailable
//	content that has no canonical form           Unverified       Failed    ErrNotCanonical
//
// (*) Accepted with [Options.AllowHashOnly]. (**) Accepted with
// [Options.AllowUnhashed], unless there is a signature. A hash that is not 64
// hex digits differs. Without an algorithm the event is held to that of the key
// it names, else to the one that all keys share.
//
// # What canonical form v1 does not protect
//
// The form is that of the reference, byte for byte, and has its weaknesses:
//
//   - It covers the fields of [CoveredV1] only. Session, correlation ID,
//     classification, retention, record count, details and ID can be changed
//     unnoticed.
//   - The hash alone protects from accidents, not from people: it has no key.
//   - There is no sequence: deleting, reordering and repeating events shows in
//     no signature. The same event under a new ID is valid.
//   - Missing, null and empty optional fields are the same.
//   - Algorithm and key ID are not signed. They cannot weaken the check, as a
//     key here has one algorithm, whatever the event says.
//
// # Rotation
//
// Give the new key to every checker as [KeyVerifyOnly] ([Checker.SetKeyring]),
// then let the emitters sign with it, then make the old key verify-only. Drop or
// revoke the old key when none of its events can arrive any more: all of them
// fail from then on.
package crypto
