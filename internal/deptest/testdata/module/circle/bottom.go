package circle

import "math"

const bottom = math.MaxInt8

var unused = func(Front int) int { return Front }
