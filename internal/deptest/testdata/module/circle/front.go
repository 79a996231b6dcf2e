// Package circle has files that use each other.
package circle

// Front uses the middle.
func Front(m Middle) int { return m.count() + bottom }
