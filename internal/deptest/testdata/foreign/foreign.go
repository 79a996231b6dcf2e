// Package foreign is of another module.
package foreign

// Answer is what the package is for.
const Answer = 42
