// Package module has no code.
package module
