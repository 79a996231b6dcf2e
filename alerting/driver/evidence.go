package driver

// Limits of the evidence of an alert.
const (
	// MaxEvidence is the largest number of events.
	MaxEvidence = 100
	// MaxEvidenceBytes is the largest size of their JSON together.
	MaxEvidenceBytes = 256 << 10
)

// KeepsEvidence reports whether a store must keep the Evidence of an occurrence with an
// alert that has this number of events, and bytes of JSON. It keeps the first ones, from
// which one sees how it began.
func KeepsEvidence(events int, bytes int64, evidence string) bool {
	return evidence != "" && events < MaxEvidence && bytes+int64(len(evidence)) <= MaxEvidenceBytes
}
