// Package core is clean but for its test.
package core

import "example.org/module/clean"

// Mind is that of package clean.
type Mind = clean.Mind
