package metricstest

import "testing"

// Failing returns the names of the cases that a kind of collector fails.
// run calls its argument with a recorder of failures and says whether it failed.
func Failing(h Harness, run func(test func(testing.TB)) bool) []string {
	var failing []string
	for _, c := range cases {
		if run(func(t testing.TB) { c.run(newProbe(t, h)) }) {
			failing = append(failing, c.name)
		}
	}
	return failing
}
