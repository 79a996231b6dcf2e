// Package crypto protects audit events against tampering. A [Signer] hashes and
// signs events where they are created. A [Checker], which is a [monitor.Verifier],
// checks the hash and the signature where the events arrive.
//
// The package has the same name as crypto in the standard library. In a file that
// needs both, import this one as auditcrypto.
//
// # Verdicts
//
// An event carries the SHA-256 of its canonical form ([AppendCanonical]) and a
// signature over the 64 hex characters of that hash. The table shows the verdicts
// and decisions of a [Checker], without the prefixes Verdict and Decision that the
// constants have in package monitor. Test for the errors with [errors.Is].
//
//	event                                          verdict          decision  error
//	hash and signature match the content           Verified         Accept    none
//	hash matches, no signature                     HashOnly         Fail*     ErrUnsigned
//	no hash                                        Unhashed         Fail**    ErrUnhashed
//	hash differs, signature matches the content    HashFieldEdited  Fail      ErrHashMismatch
//	hash differs, signature matches that hash      ContentEdited    Fail      ErrHashMismatch
//	hash differs, signature matches neither        Replaced         Fail      ErrHashMismatch and an error of Forged below
//	hash differs, no signature                     Replaced         Fail      ErrHashMismatch
//	hash matches, signature does not               Forged           Fail      ErrBadSignature
//	  the key is not in the keyring                Forged           Fail      ErrUnknownKey
//	  the key is revoked                           Forged           Fail      ErrKeyRevoked
//	  the key is for other organizations***        Forged           Fail      ErrKeyForeign
//	  the certificate was not valid at that time   Forged           Fail      ErrKeyExpired
//	  the algorithm is unknown or not the key's    Forged           Fail      ErrAlgorithm
//	the hash algorithm is not SHA-256              Forged           Fail      ErrAlgorithm
//	the key's authority is unavailable             Undecided        Defer     ErrUnavailable
//	the content has no canonical form              Unverified       Fail      ErrNotCanonical
//
// (*) Accept with [Options.AllowHashOnly]. (**) Accept with
// [Options.AllowUnhashed], unless there is a signature. (***) Or for several, and
// the event names none. A hash that is not 64 hex digits counts as different. If an
// event names no algorithm, the algorithm of the key that it names is used. If it
// names no key either, all keys must have the same algorithm; otherwise the error
// is ErrAlgorithm.
//
// # What canonical form v1 does not protect
//
// The form is older than this package. It cannot change by a single byte, because
// events with such hashes exist. It has these weaknesses:
//
//   - It covers only the fields in [CoveredV1]. Changes of the session,
//     correlation ID, classification, retention, record count, details or ID are
//     not detected.
//   - The hash alone protects against accidents but not against attackers, since
//     anybody can compute it.
//   - It has no sequence number, so signatures do not reveal that events were
//     deleted, reordered or repeated. The same event with a new ID is valid.
//   - An optional field that is missing, null or empty has the same canonical
//     form.
//   - The algorithm and the key ID are not signed. Changing them cannot weaken the
//     check, since each key only accepts its own algorithm.
//
// # Rotation
//
// First give the new key to every checker as [KeyVerifyOnly], with
// [Checker.SetKeyring]. Then let the emitters sign with it, and make the old key
// verify-only. Remove or revoke the old key only when no more events that it
// signed can arrive, because they fail from then on.
package crypto
