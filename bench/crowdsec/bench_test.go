package crowdsec_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/bench/benchtest"
)

// With one key the caller spins while the one goroutine works.
func BenchmarkWindow(b *testing.B) {
	benchtest.Benchmark(b, benchtest.Auditwarden(), crowdSec())
}

func BenchmarkNewKey(b *testing.B) {
	benchtest.BenchmarkNewKey(b, benchtest.Auditwarden(), crowdSec())
}

// TestFound shows what each engine makes of the failed logins of one user.
func TestFound(t *testing.T) {
	for _, test := range []struct {
		name    string
		seconds []int // after midnight
		// The number of alerts. The first is right.
		auditwarden, crowdSec int
	}{
		{"four in a minute", []int{0, 15, 30, 45}, 0, 0},
		{"five in a minute", []int{0, 15, 30, 45, 60}, 1, 1},
		{"five in 4:56", []int{0, 74, 148, 222, 296}, 1, 0},
		{"never five in 5:00", []int{0, 1, 2, 3, 310, 311}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := benchtest.Auditwarden().Alerts(t, test.seconds...); got != test.auditwarden {
				t.Errorf("auditwarden: %d alerts, want %d", got, test.auditwarden)
			}
			if got := crowdSec().Alerts(t, test.seconds...); got != test.crowdSec {
				t.Errorf("crowdsec: %d alerts, want %d", got, test.crowdSec)
			}
		})
	}
}
