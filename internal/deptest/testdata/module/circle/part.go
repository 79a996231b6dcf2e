package circle

type part struct{ values []int }

// count uses a field of what uses it.
func (p part) count() int { return len(Middle{part: p}.part.values) + bottom }
