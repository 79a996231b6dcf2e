// Package metricstest contains the tests that every metrics collector must pass,
// and benchmarks for collectors.
package metricstest

import "testing"

// RunCollector runs the test suite, with each case as a subtest.
func RunCollector(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(&probe{t, h, h.New(t)}) })
	}
}
