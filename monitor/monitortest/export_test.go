package monitortest

import "github.com/auditwarden/auditwarden/monitor"

// FailedVerifierCases returns the names of the cases in which RunVerifier finds
// something wrong.
func FailedVerifierCases(h VerifierHarness, newVerifier func() monitor.Verifier) []string {
	var failed []string
	for _, c := range verifierCases() {
		if errs := c.check(verifierCheck{h, newVerifier()}); len(errs) > 0 {
			failed = append(failed, c.name)
		}
	}
	return failed
}
