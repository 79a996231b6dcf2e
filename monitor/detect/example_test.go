package detect_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// The rules of Defaults behind a monitor.
func Example() {
	engine, err := detect.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := monitor.New(monitor.Config{
		AllowUnverified: true,
		Detectors:       []monitor.Detector{engine},
		MaxSkew:         -1, // these events are history
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 5 {
		result, err := m.Process(context.Background(), &monitor.Event{
			Timestamp:      time.Date(2026, 3, 2, 9, 0, 10*i, 0, time.UTC),
			Action:         "auth.login.failure",
			Status:         monitor.StatusFailure,
			PrincipalID:    "user-1",
			OrganizationID: "org-1",
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, f := range result.Findings {
			fmt.Printf("%s %s: %s %d of %d\n", f.Severity, f.Rule, f.Key, f.Count, f.Threshold)
		}
	}
	// Output:
	// HIGH failed_auth: user-1 5 of 5
}

// Patterns of one's own: distinct values and sequences.
func ExampleRule() {
	action := func(name string) func(*monitor.Event) bool {
		return func(e *monitor.Event) bool { return e.Action == name }
	}
	rules := append(detect.Defaults(),
		// 20 different patients looked at by one principal in 10 minutes.
		detect.Rule{
			Name: "many_patients", Version: "1", Severity: monitor.SeverityHigh,
			Match:    func(e *monitor.Event) bool { return e.TargetResourceType == "Patient" },
			Uses:     monitor.FieldTargetResourceType | monitor.FieldTargetResourceID,
			Distinct: func(e *monitor.Event) string { return e.TargetResourceID },
			GroupBy:  detect.ByPrincipal, Threshold: 20, Window: 10 * time.Minute,
		},
		// 5 failures, then a success.
		detect.Rule{
			Name: "guessed_password", Version: "1", Severity: monitor.SeverityCritical, Technique: "T1110.001",
			Uses: monitor.FieldAction,
			Sequence: []detect.Step{
				{Match: action("auth.login.failure"), Count: 5},
				{Match: action("auth.login.success")},
			},
			GroupBy: detect.ByPrincipal, Window: 10 * time.Minute,
		},
	)
	engine, err := detect.New(&detect.Options{Rules: rules})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range engine.Stats() {
		fmt.Println(s.Rule)
	}
	// Output:
	// failed_auth
	// unauthorized_access
	// data_velocity
	// bulk_operation
	// off_hours
	// many_patients
	// guessed_password
}

// Why did a rule not fire?
func ExampleEngine_Explain() {
	engine, err := detect.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	event := &monitor.Event{
		Timestamp:   time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
		Action:      "auth.login.failure",
		Status:      monitor.StatusFailure,
		PrincipalID: "user-1",
	}
	for _, x := range engine.Explain(event, monitor.Arrival{OrganizationID: "org-1"})[:2] {
		fmt.Println(x)
	}
	// Output:
	// failed_auth: below, 1 of 5 in 5m0s for principalId "user-1"
	// unauthorized_access: does not match
}

// A configuration in JSON.
func ExampleParseConfig() {
	options, err := detect.ParseConfig(strings.NewReader(`{
		"failedAuthThreshold": 3,
		"timezone": "Europe/Vienna",
		"organizations": {"org-1": {"failedAuthThreshold": 10}}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(options.Rules[0].Threshold, options.Overrides["org-1"].Rules["failed_auth"].Threshold, options.Location)
	_, err = detect.ParseConfig(strings.NewReader(`{"offHoursStart": 24}`))
	fmt.Println(err)
	// Output:
	// 3 10 Europe/Vienna
	// detect: parse config: offHoursStart: 24 is not from 0 to 23
}
