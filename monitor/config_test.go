package monitor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestConfigErrorsAreJoined(t *testing.T) {
	t.Parallel()
	_, err := monitor.New(monitor.Config{
		Detectors:           []monitor.Detector{&detector{name: "twice"}, &detector{name: "twice"}, nil},
		DefaultOrganization: "operator",
		Lateness:            -2,
		MaxSkew:             -time.Hour,
		QueueCapacity:       -1,
		Workers:             -1,
		QueuePolicy:         7,
		RedeliveryHorizon:   -1,
		IntegrityAlertRate:  -5,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{
		"Verifier", `two are named "twice"`, "number 2 is nil", "DefaultOrganization", "Lateness", "MaxSkew",
		"QueueCapacity", "Workers", "QueuePolicy", "RedeliveryHorizon", "IntegrityAlertRate",
	} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("error does not name %s: %v", field, err)
		}
	}
	for range 20 { // in the same order every time
		_, again := monitor.New(monitor.Config{QueueCapacity: -1, Workers: -1, DrainTimeout: -1, QuarantineInterval: -1})
		check.Equal(t, "error", again.Error(), "monitor: configuration: Verifier: missing; set it, or AllowUnverified\n"+
			"QuarantineInterval: must be more than 0\nDrainTimeout: must be more than 0\n"+
			"QueueCapacity: must be at least 1\nWorkers: must be at least 1")
	}
}

func TestConfigContradiction(t *testing.T) {
	t.Parallel()
	_, err := monitor.New(monitor.Config{Verifier: verdicts(nil), AllowUnverified: true})
	if err == nil || !strings.Contains(err.Error(), "AllowUnverified") {
		t.Errorf("error %v", err)
	}
	_, err = monitor.New(monitor.Config{AllowUnverified: true, Detectors: make([]monitor.Detector, 65)})
	if err == nil || !strings.Contains(err.Error(), "65 are more than 64") {
		t.Errorf("error %v", err)
	}
}
