//go:build plan9

package noisy

import (
	// C needs a compiler.
	"C"
	"testing"
)

// Test is no test.
func Test(*testing.T) {}
