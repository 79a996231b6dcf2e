package monitor

import (
	"math"
	"time"
)

// Timestamps are judged in nanoseconds since 1970, which an int64 holds for
// these times.
var (
	minTimestamp = time.Unix(0, math.MinInt64)
	maxTimestamp = time.Unix(0, math.MaxInt64)
)

// Layouts that a timestamp's text may have beside RFC 3339: what PostgreSQL
// prints for a timestamptz.
var timestampLayouts = [...]string{
	time.RFC3339,
	"2006-01-02 15:04:05Z07",
	"2006-01-02 15:04:05Z07:00",
}

func parseTimestamp(text string) (time.Time, error) {
	for _, layout := range timestampLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, checkTimestamp(t)
		}
	}
	return time.Time{}, invalid("timestamp", "%.40q is not an RFC 3339 time", text)
}

func checkTimestamp(t time.Time) error {
	switch {
	case t.IsZero():
		return invalid("timestamp", "missing")
	case t.Before(minTimestamp) || t.After(maxTimestamp):
		return invalid("timestamp", "year %d is outside 1678 to 2261", t.Year())
	}
	return nil
}
