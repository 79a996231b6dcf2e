package monitor

// Verdict is what a verifier found out about an event.
type Verdict uint8

const (
	// VerdictUnverified means that no verifier looked at the event.
	VerdictUnverified Verdict = iota
	// VerdictVerified means that hash and signature agree with the content.
	VerdictVerified
	// VerdictHashOnly means that the hash agrees and there is no signature.
	VerdictHashOnly
	// VerdictUnhashed means that there is no hash.
	VerdictUnhashed
	// VerdictHashFieldEdited means that the hash disagrees, but the signature is
	// valid for the content: only the hash field was changed.
	VerdictHashFieldEdited
	// VerdictContentEdited means that the hash disagrees, but the signature is
	// valid for that hash: the content was changed after it was signed.
	VerdictContentEdited
	// VerdictForged means that the hash agrees and the signature does not: somebody
	// without the key computed the hash anew, or the event was signed with a key
	// that may not sign it.
	VerdictForged
	// VerdictReplaced means that neither hash nor signature agree with anything.
	VerdictReplaced
	// VerdictUndecided means that the authority for the key does not answer.
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
	// DecisionAccept passes the event on to the detectors.
	DecisionAccept Decision = iota
	// DecisionFail raises an alert. No detector sees the event.
	DecisionFail
	// DecisionDefer has the event verified again later.
	DecisionDefer
)

var outcomeNames = [...]string{"accepted", "failed", "deferred"}

// String returns the decision in lower case.
func (o Decision) String() string { return name(outcomeNames[:], o) }

// A Verification is what a verifier says about one event.
type Verification struct {
	Decision Decision
	Verdict  Verdict
	// Err says why the event is not accepted. It never contains a secret.
	Err error
	// KeyID and Algorithm name what verified the signature; they are empty
	// unless one did.
	KeyID     string
	Algorithm string
	// Covered are the fields that the signature covers.
	Covered Fields
}
