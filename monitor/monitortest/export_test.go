package monitortest

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

// verdict is the test that a case runs in. It notes whether the case failed.
type verdict struct {
	testing.TB
	failed atomic.Bool
}

func (*verdict) Helper()                 {}
func (v *verdict) Errorf(string, ...any) { v.failed.Store(true) }
func (v *verdict) Fatalf(string, ...any) { v.failed.Store(true); runtime.Goexit() }

// fails reports whether a case finds something wrong.
func fails(t *testing.T, run func(tb testing.TB)) bool {
	t.Helper()
	v := &verdict{TB: t}
	var running sync.WaitGroup
	running.Go(func() { run(v) }) // Fatalf ends the goroutine
	running.Wait()
	return v.failed.Load()
}

// FailedDetectorCases returns the names of the cases in which RunDetector finds
// something wrong.
func FailedDetectorCases(t *testing.T, newDetector func() monitor.Detector) []string {
	t.Helper()
	var failed []string
	for _, c := range detectorCases {
		if fails(t, func(tb testing.TB) { c.check(detectorCheck{tb, suspiciousEvents, newDetector}) }) {
			failed = append(failed, c.name)
		}
	}
	return failed
}

// FailedVerifierCases returns the names of the cases in which RunVerifier finds
// something wrong.
func FailedVerifierCases(t *testing.T, h VerifierHarness, newVerifier func() monitor.Verifier) []string {
	t.Helper()
	var failed []string
	for _, c := range verifierCases() {
		if fails(t, func(tb testing.TB) { c.check(verifierCheck{tb, h, newVerifier()}) }) {
			failed = append(failed, c.name)
		}
	}
	return failed
}
