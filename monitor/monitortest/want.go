package monitortest

import (
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// WantVerdict checks the decision and the verdict of a verification. The error
// must be nil if and only if the event was accepted.
func WantVerdict(tb testing.TB, v monitor.Verification, decision monitor.Decision, verdict monitor.Verdict) {
	tb.Helper()
	if v.Decision != decision || v.Verdict != verdict {
		tb.Errorf("verification is %v, %v (%v), want %v, %v", v.Decision, v.Verdict, v.Err, decision, verdict)
	}
	if (v.Err == nil) != (v.Decision == monitor.DecisionAccept) {
		tb.Errorf("verification is %v with error %v", v.Decision, v.Err)
	}
}

// WantFindings checks that the findings are from these rules, in this order.
func WantFindings(tb testing.TB, findings []monitor.Finding, rules ...string) {
	tb.Helper()
	var got []string
	for _, f := range findings {
		got = append(got, f.Rule)
	}
	check.Equal(tb, "rules of the findings", got, rules)
}
