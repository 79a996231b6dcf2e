// Package check helps the tests of the packages that import nothing but the
// standard library. What a check says of a failure begins with the name that
// the test gave to the value.
package check

import (
	"errors"
	"strings"
	"testing"
)

// Equal reports an error unless got equals want: by the values' own method
// Equal where they have one, such as [time.Time], otherwise as
// [reflect.DeepEqual] says. The error lists what differs.
func Equal[T any](tb testing.TB, what string, got, want T) {
	tb.Helper()
	if !equal(got, want) {
		tb.Errorf("%s: %s", what, difference(got, want))
	}
}

// Must returns a function that returns v, or stops the test if err is not nil:
//
//	key := check.Must(crypto.NewHMACKey("id", secret, nil))(t)
func Must[T any](v T, err error) func(tb testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatalf("unexpected error: %v", err)
		}
		return v
	}
}

// NoError stops the test if err is not nil.
func NoError(tb testing.TB, what string, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("%s: unexpected error: %v", what, err)
	}
}

// ErrorIs reports an error unless err is target, as [errors.Is] says. A target
// of nil asks that there be no error.
func ErrorIs(tb testing.TB, what string, err, target error) {
	tb.Helper()
	if !errors.Is(err, target) {
		tb.Errorf("%s:\n     got error %v\n    want error %v", what, err, target)
	}
}

// ErrorAs returns the error of type E in the tree of err, and stops the test if
// there is none.
func ErrorAs[E error](tb testing.TB, what string, err error) E {
	tb.Helper()
	typed, ok := errors.AsType[E](err)
	if !ok {
		tb.Fatalf("%s:\n     got error %v (%T)\n    want error of type %T", what, err, err, typed)
	}
	return typed
}

// ErrorText reports an error unless err is an error whose text contains all of
// these parts.
func ErrorText(tb testing.TB, what string, err error, parts ...string) {
	tb.Helper()
	if err == nil {
		tb.Errorf("%s: no error, want one with the text %q", what, parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			tb.Errorf("%s:\n     got error %q\n    want in it %q", what, err, part)
		}
	}
}
