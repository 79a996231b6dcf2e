package main

import (
	"strconv"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// curiosity finds a principal who reads the records of three patients in ten minutes.
var curiosity = detect.Rule{
	Name:     "curiosity",
	Version:  "1", // of the functions below
	Severity: monitor.SeverityMedium,
	Match: func(e *monitor.Event) bool {
		return e.Status == monitor.StatusSuccess && e.TargetResourceType == "Patient"
	},
	Uses:      monitor.FieldStatus | monitor.FieldTargetResourceType | monitor.FieldTargetResourceID,
	GroupBy:   detect.ByPrincipal,
	Distinct:  func(e *monitor.Event) string { return e.TargetResourceID },
	Threshold: 3,
	Window:    10 * time.Minute,
}

func TestCuriosity(t *testing.T) {
	rules, err := detect.New(&detect.Options{Rules: append(detect.Modern(), curiosity)})
	if err != nil {
		t.Fatal(err)
	}
	var alerts monitortest.Alerts
	m, err := monitor.New(monitor.Config{
		AllowUnverified: true, Detectors: []monitor.Detector{rules}, Alerts: &alerts,
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range [][]string{nil, nil, {"curiosity"}} {
		event := monitortest.NewEvent(func(e *monitor.Event) {
			e.TargetResourceID = strconv.Itoa(n)
			e.Timestamp = monitortest.Time().Add(time.Duration(n) * time.Minute)
		})
		result, err := m.Process(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		monitortest.WantFindings(t, result.Findings, want...)
	}
	if all := alerts.All(); len(all) != 1 || all[0].Finding.Key != "user-1" {
		t.Errorf("alerts: %v", all)
	}
}
