// Package metricstest holds the tests that every collector of metrics passes,
// and its benchmarks.
package metricstest

import "testing"

// RunCollector runs the suite, each case as a subtest.
func RunCollector(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(newProbe(t, h)) })
	}
}
