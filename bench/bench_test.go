package bench_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/bench/benchtest"
)

func BenchmarkWindow(b *testing.B) {
	benchtest.Benchmark(b, benchtest.Auditwarden(), timeRate(), timeRateNow(), sigmaGo())
}

func BenchmarkNewKey(b *testing.B) {
	benchtest.BenchmarkNewKey(b, benchtest.Auditwarden(), timeRate(), timeRateNow(), sigmaGo())
}

// TestFound shows what each engine makes of the failed logins of one user.
func TestFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		seconds []int // after midnight
		// The number of alerts. The first is right.
		auditwarden, timeRate, sigmaGo int
	}{
		{"four in a minute", []int{0, 15, 30, 45}, 0, 0, 0},
		{"five in a minute", []int{0, 15, 30, 45, 60}, 1, 1, 1},
		{"five in 4:56", []int{0, 74, 148, 222, 296}, 1, 0, 1},
		{"five in 4:56 from 0:02:30 on", []int{150, 224, 298, 372, 446}, 1, 0, 0},
		{"never five in 5:00", []int{0, 1, 2, 3, 310, 311}, 0, 0, 1},
	} {
		for _, c := range []struct {
			benchtest.Contender
			want int
		}{
			{benchtest.Auditwarden(), test.auditwarden},
			{timeRate(), test.timeRate},
			{timeRateNow(), test.timeRate},
			{sigmaGo(), test.sigmaGo},
		} {
			t.Run(test.name+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				if got := c.Alerts(t, test.seconds...); got != c.want {
					t.Errorf("%d alerts, want %d", got, c.want)
				}
			})
		}
	}
}
