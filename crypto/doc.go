// Package crypto protects audit events against changes. A [Signer] hashes and
// signs events where they are made. A [Checker], which is a [monitor.Verifier],
// checks hash and signature where the events arrive.
//
// The package shadows crypto of the standard library. A file that needs both
// imports this one as auditcrypto.
//
// # Verdicts
//
// An event carries the SHA-256 of its canonical form ([AppendCanonical]) and a
// signature over the 64 hex characters of that hash. The table shows what a
// [Checker] decides. The names are those of package monitor without their
// prefixes Verdict and Decision; the error matches the sentinel with [errors.Is].
//
//	event                                          verdict          decision  error
//	hash and signature match the content           Verified         Accept    none
//	hash matches, no signature                     HashOnly         Fail*     ErrUnsigned
//	no hash                                        Unhashed         Fail**    ErrUnhashed
//	hash differs, signature matches the content    HashFieldEdited  Fail      ErrHashMismatch
//	hash differs, signature matches that hash      ContentEdited    Fail      ErrHashMismatch
//	hash differs, signature matches neither        Replaced         Fail      ErrHashMismatch, and one of Forged
//	hash differs, no signature                     Replaced         Fail      ErrHashMismatch
//	hash matches, signature does not               Forged           Fail      ErrBadSignature
//	  the key is not in the keyring                Forged           Fail      ErrUnknownKey
//	  the key is revoked                           Forged           Fail      ErrKeyRevoked
//	  the key is for other organizations           Forged           Fail      ErrKeyForeign
//	  the certificate was not valid at that time   Forged           Fail      ErrKeyExpired
//	  the algorithm is unknown or not the key's    Forged           Fail      ErrAlgorithm
//	the hash algorithm is not SHA-256              Forged           Fail      ErrAlgorithm
//	the key's authority is unavailable           Undecided        Defer     ErrUnavailable
//	the content has no canonical form              Unverified       Fail      ErrNotCanonical
//
// (*) Accept with [Options.AllowHashOnly]. (**) Accept with
// [Options.AllowUnhashed], unless there is a signature. A hash that is not 64 hex
// digits differs. An event that names no algorithm is checked with that of the
// key it names; if it names no key either, with the one that all keys have in
// common.
//
// # What canonical form v1 does not protect
//
// The form is older than this package and fixed byte for byte, because events
// with such hashes exist. It has these weaknesses:
//
//   - It covers only the fields of [CoveredV1]. Session, correlation ID,
//     classification, retention, record count, details and ID can be changed
//     unnoticed.
//   - The hash alone protects against accidents and not against people, since it
//     has no key.
//   - It has no sequence number: signatures do not show that events were deleted,
//     reordered or repeated. The same event with a new ID is valid.
//   - Optional fields that are missing, null or empty are the same.
//   - Algorithm and key ID are not signed. Changing them cannot weaken the check,
//     since a key has one algorithm, whatever the event says.
//
// # Rotation
//
// First give the new key to every checker as [KeyVerifyOnly]
// ([Checker.SetKeyring]), then let the emitters sign with it, then make the old
// key verify-only. Remove or revoke the old key when none of its events can
// arrive anymore, because from then on they all fail.
package crypto
