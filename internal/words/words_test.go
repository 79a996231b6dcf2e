package words_test

import (
	"math"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/words"
)

func TestCount(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n    int64
		noun string
		want string
	}{
		{5, "failed login|failed logins", "5 failed logins"},
		{1, "failed login|failed logins", "1 failed login"},
		{0, "failed login|failed logins", "0 failed logins"},
		{5, "failed logins", "5 failed logins"},
		{1, "success", "1 success"},
	} {
		check.Equal(t, test.want, words.Count(test.n, test.noun), test.want)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                                "0 seconds",
		time.Second:                      "1 second",
		1500 * time.Millisecond:          "1.5 seconds",
		time.Millisecond:                 "0.001 seconds",
		time.Minute:                      "1 minute",
		10 * time.Minute:                 "10 minutes",
		90 * time.Second:                 "1 minute and 30 seconds",
		time.Hour:                        "1 hour",
		36 * time.Hour:                   "1 day and 12 hours",
		7 * 24 * time.Hour:               "7 days",
		26*time.Hour + 61*time.Second:    "1 day, 2 hours, 1 minute and 1 second",
		-time.Minute:                     "minus 1 minute",
		time.Duration(math.MinInt64 + 1): "minus 106751 days, 23 hours, 47 minutes and 16.854775807 seconds",
		time.Duration(math.MinInt64):     "minus 106751 days, 23 hours, 47 minutes and 16.854775807 seconds",
	} {
		check.Equal(t, d.String(), words.Duration(d), want)
	}
}
