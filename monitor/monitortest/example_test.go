package monitortest_test

import (
	"context"
	"fmt"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// A monitor in a test, with recorders in place of the real thing.
func Example() {
	var alerts monitortest.Alerts
	var metrics monitortest.Metrics
	m, err := monitor.New(monitor.Config{
		Verifier: monitor.VerifierFunc(func(context.Context, *monitor.Event) monitor.Verification {
			return monitor.Verification{Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged}
		}),
		Alerts:  &alerts,
		Metrics: &metrics,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	event := monitortest.NewEvent(func(e *monitor.Event) { e.PrincipalID = "user-2" })
	if _, err := m.Process(context.Background(), event); err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range alerts.All() {
		fmt.Println(a.Severity, a.Finding.Rule)
	}
	fmt.Println("violations:", metrics.Value(monitor.IntegrityViolations))
	// Output:
	// CRITICAL tampered
	// violations: 1
}
