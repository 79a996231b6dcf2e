// Package window keeps the events of groups and tells which of them qualify for
// a rule: those at the end of a window of time in which enough has come
// together. It knows nothing of what the events are.
package window

import "math"

// A Kind says what the windows of a rule count. Its numbers are in snapshots.
type Kind uint8

const (
	// Stateless rules have no windows.
	Stateless Kind = iota
	// Events counts events.
	Events
	// Distinct counts the distinct marks of events.
	Distinct
	// Sequence counts the steps that are complete, one after the other. The mark
	// of an event is the set of the steps that it matches.
	Sequence
)

// A Rule is what a rule asks of its windows.
type Rule struct {
	Kind      Kind
	Length    int64 // of a window, in nanoseconds
	Threshold int
	Steps     []int // how many events each step of a sequence takes
	MaxEvents int   // of a group
}

// Before returns a - b for a b that is not negative, and the least number if
// that is less.
func Before(a, b int64) int64 {
	if d := a - b; d <= a {
		return d
	}
	return math.MinInt64
}
