// Package leaf depends on another module.
package leaf

import (
	"example.org/foreign"
	"example.org/module/clean"
)

// Both is of both.
var Both = struct {
	clean.Mind
	Answer int
}{Answer: foreign.Answer}
