// Package words writes numbers and durations as a person reads them.
package words

import (
	"strconv"
	"strings"
	"time"
)

// Count returns a number of things, such as "5 failed logins". A noun has two forms
// where one thing and several are called differently: "failed login|failed logins".
func Count(n int64, noun string) string {
	return strconv.FormatInt(n, 10) + " " + Form(n, noun)
}

// Form returns the form of a noun for so many things.
func Form(n int64, noun string) string {
	one, many, differ := strings.Cut(noun, "|")
	if differ && n != 1 {
		return many
	}
	return one
}

// Duration returns a length of time, such as "10 minutes" or "1 day, 2 hours and 5.5
// seconds".
func Duration(d time.Duration) string {
	if d < 0 {
		return "minus " + Duration(-max(d, -1<<63+1))
	}
	var parts []string
	for _, unit := range [...]struct {
		length time.Duration
		noun   string
	}{{24 * time.Hour, "day|days"}, {time.Hour, "hour|hours"}, {time.Minute, "minute|minutes"}} {
		if n := d / unit.length; n > 0 {
			parts = append(parts, Count(int64(n), unit.noun))
			d %= unit.length
		}
	}
	if d > 0 || parts == nil {
		noun := "seconds"
		if d == time.Second {
			noun = "second"
		}
		parts = append(parts, strconv.FormatFloat(d.Seconds(), 'f', -1, 64)+" "+noun)
	}
	last := len(parts) - 1
	if last == 0 {
		return parts[0]
	}
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}
