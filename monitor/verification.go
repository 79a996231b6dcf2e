package monitor

// Verdict is what a verifier found out about an event.
type Verdict uint8

const (
	// VerdictUnverified: no verifier looked at the event.
	VerdictUnverified Verdict = iota
	// VerdictVerified: hash and signature agree with the content.
	VerdictVerified
	// VerdictHashOnly: the hash agrees and there is no signature.
	VerdictHashOnly
	// VerdictUnhashed: there is no hash.
	VerdictUnhashed
	// VerdictHashFieldEdited: the hash disagrees, the signature is valid for the
	// content: only the hash field was changed.
	VerdictHashFieldEdited
	// VerdictContentEdited: the hash disagrees, the signature is valid for the stored
	// hash: the content was changed after it was signed.
	VerdictContentEdited
	// VerdictForged: the hash agrees and the signature does not: hashed again by
	// somebody without the key, or signed by a key that may not sign it.
	VerdictForged
	// VerdictReplaced: neither hash nor signature agree with anything.
	VerdictReplaced
	// VerdictUndecided: the authority for the key cannot answer now.
	VerdictUndecided
)

var verdictNames = [...]string{
	"unverified", "verified", "hash_only", "unhashed", "hash_field_edited",
	"content_edited", "forged", "replaced", "undecided",
}

// String returns the verdict in snake case, as it stands in metrics and alerts.
func (v Verdict) String() string { return name(verdictNames[:], v) }

// Decision is what follows from a verdict under the verifier's policy.
type Decision uint8

const (
	// DecisionAccept: the event goes on to the detectors.
	DecisionAccept Decision = iota
	// DecisionFail: the event raises an alert and goes no further.
	DecisionFail
	// DecisionDefer: the event is quarantined and verified again later.
	DecisionDefer
)

var outcomeNames = [...]string{"accepted", "failed", "deferred"}

// String returns the outcome in lower case.
func (o Decision) String() string { return name(outcomeNames[:], o) }

// A Verification is a verifier's answer for one event.
type Verification struct {
	Decision Decision
	Verdict  Verdict
	// Err says why the outcome is not Accepted. It never contains a secret.
	Err error
	// KeyID and Algorithm name what verified the signature; they are empty
	// unless one did.
	KeyID     string
	Algorithm string
	// Covered are the fields that the emitter vouches for.
	Covered Fields
}
