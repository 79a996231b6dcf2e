package metricstest

import "testing"

// RunCase runs one case of the suite.
func RunCase(t testing.TB, h Harness, name string) {
	t.Helper()
	for _, c := range cases {
		if c.name == name {
			c.run(&probe{t, h, h.New(t)})
			return
		}
	}
	panic("no case " + name)
}
