package monitor

// Verdict is what a verifier found about the hash and the signature of an event.
type Verdict uint8

const (
	// VerdictUnverified means that there is no verifier, or that it failed.
	VerdictUnverified Verdict = iota
	// VerdictVerified means that the hash and the signature match the content.
	VerdictVerified
	// VerdictHashOnly means that the hash matches and there is no signature.
	VerdictHashOnly
	// VerdictUnhashed means that there is no hash.
	VerdictUnhashed
	// VerdictHashFieldEdited means that the hash does not match, but the signature is
	// valid for the content: only the hash field was changed.
	VerdictHashFieldEdited
	// VerdictContentEdited means that the hash does not match, but the signature is
	// valid for that hash: the content was changed after it was signed.
	VerdictContentEdited
	// VerdictForged means that the hash matches the content, but the signature is not
	// valid: somebody without the key computed a new hash, or the event was signed
	// with a key that may not sign it.
	VerdictForged
	// VerdictReplaced means that the hash does not match the content, and that the
	// signature is missing or matches neither the hash nor the content.
	VerdictReplaced
	// VerdictUndecided means that the event could not be verified now, for example
	// because a key service does not answer.
	VerdictUndecided
)

var verdictNames = [...]string{
	"unverified", "verified", "hash_only", "unhashed", "hash_field_edited",
	"content_edited", "forged", "replaced", "undecided",
}

// String returns the verdict in snake case, as it appears in metrics and alerts.
func (v Verdict) String() string { return name(verdictNames[:], v) }

// Decision is what the monitor does with an event, by the verifier's policy.
type Decision uint8

const (
	// DecisionAccept makes the monitor pass the event to the detectors.
	DecisionAccept Decision = iota
	// DecisionFail makes the monitor raise an alert. No detector sees the event.
	DecisionFail
	// DecisionDefer means that the event must be verified again later.
	DecisionDefer
)

var decisionNames = [...]string{"accept", "fail", "defer"}

// String returns accept, fail or defer.
func (d Decision) String() string { return name(decisionNames[:], d) }

// A Verification is the result of verifying one event.
type Verification struct {
	Decision Decision
	Verdict  Verdict
	// Err says why the event is not accepted. It never contains a secret.
	Err error
	// KeyID and Algorithm are those of the key that verified the signature, if any.
	KeyID     string
	Algorithm string
	// OrganizationID is the only organization that the key may sign for, if there is
	// one. An event that names no organization belongs to it; if the key may sign for
	// others, too, such an event is invalid.
	OrganizationID string
	// Covered is the set of fields that the signature covers.
	Covered Fields
}
