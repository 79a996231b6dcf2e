package monitor

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Timestamps are judged in nanoseconds since 1970, which an int64 holds for the
// years 1678 to 2261.
const (
	minTimestamp = -9214560000 // 1678-01-01 in seconds since 1970
	endTimestamp = 9214646400  // 2262-01-01
)

func checkTimestamp(t time.Time) error {
	if err := checkTime(t); err != nil {
		return &InvalidEventError{Field: "timestamp", Err: err}
	}
	return nil
}

func checkTime(t time.Time) error {
	if t.IsZero() {
		return errMissing
	}
	if s := t.Unix(); s < minTimestamp || s >= endTimestamp {
		return fmt.Errorf("year %d is outside 1678 to 2261", t.Year())
	}
	return nil
}

var errMissing = errors.New("missing")

// parseTimestamp reads a timestamp in UTC. Its text is what RFC 3339 allows,
// section 5.6, or what PostgreSQL prints for a timestamptz: there the offset may
// be hours alone, or have seconds. Digits after the nanoseconds are not looked
// at.
func parseTimestamp(text string) (time.Time, error) {
	t, ok := readTimestamp(text)
	if !ok {
		return time.Time{}, invalid("timestamp", "%.40q is not an RFC 3339 time", text)
	}
	if t.IsZero() {
		return time.Time{}, invalid("timestamp", "year 1 is outside 1678 to 2261")
	}
	return t, checkTimestamp(t)
}

// readTimestamp is [time.Parse] for the layouts of timestamps: it takes nothing
// that RFC 3339 does not, keeps off the local time zone and does not allocate.
func readTimestamp(s string) (t time.Time, ok bool) {
	const layout = "dddd-dd-ddTdd:dd:dd"
	if len(s) < len(layout) {
		return t, false
	}
	for i := range len(layout) {
		switch c := s[i]; layout[i] {
		case 'd':
			ok = isDigit(c)
		case 'T':
			ok = c == 'T' || c == 't' || c == ' '
		default:
			ok = c == layout[i]
		}
		if !ok {
			return t, false
		}
	}
	year, month, day := 100*twoDigits(s)+twoDigits(s[2:]), twoDigits(s[5:]), twoDigits(s[8:])
	hour, minute, second := twoDigits(s[11:]), twoDigits(s[14:]), twoDigits(s[17:])
	nanosecond, s, ok := cutFraction(s[len(layout):])
	if !ok || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	offset, ok := readOffset(s)
	if !ok {
		return t, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, nanosecond, time.UTC)
	if t.Day() != day {
		return t, false // no such day in that month
	}
	return t.Add(-offset), true
}

// cutFraction reads the nanoseconds after a dot, if there is one, and returns
// what comes behind it.
func cutFraction(s string) (nanosecond int, rest string, ok bool) {
	if !strings.HasPrefix(s, ".") {
		return 0, s, true
	}
	n := 1
	for scale := 100_000_000; n < len(s) && isDigit(s[n]); n++ {
		nanosecond += scale * int(s[n]-'0')
		scale /= 10
	}
	return nanosecond, s[n:], n > 1
}

// readOffset reads Z, +hh, +hh:mm or +hh:mm:ss.
func readOffset(s string) (offset time.Duration, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s)%3 != 0 || len(s) == 0 || len(s) > len("+hh:mm:ss") || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	for i, unit := 0, time.Hour; i < len(s); i, unit = i+3, unit/60 {
		if i > 0 && s[i] != ':' || !isDigit(s[i+1]) || !isDigit(s[i+2]) {
			return 0, false
		}
		n := twoDigits(s[i+1:])
		if n > 59 || i == 0 && n > 23 {
			return 0, false
		}
		offset += time.Duration(n) * unit
	}
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func twoDigits(s string) int { return 10*int(s[0]-'0') + int(s[1]-'0') }

func canonicalTime(t time.Time) string { return string(appendCanonicalTime(nil, t)) }

// appendCanonicalTime appends a time as the canonical form that is hashed has it:
// in UTC, with milliseconds. Package time is fast with [time.RFC3339] only, which
// lacks the milliseconds.
func appendCanonicalTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	dst = t.AppendFormat(dst, time.RFC3339)
	ms := t.Nanosecond() / 1e6
	return append(dst[:len(dst)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}
