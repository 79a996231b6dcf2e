package monitor

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// The errors that a caller can act on, to be tested with [errors.Is].
var (
	// ErrNotFound: there is no such thing in that organization.
	ErrNotFound = errors.New("not found")
	// ErrConflict: something else changed the same thing first. Read it again.
	ErrConflict = errors.New("conflict")
	// ErrClosed: the monitor was shut down.
	ErrClosed = errors.New("closed")
	// ErrOverloaded: a bounded queue is full. Try again later.
	ErrOverloaded = errors.New("overloaded")
	// ErrUndecided: the authority for the event's key cannot answer now. Try
	// again later; the event was neither accepted nor called tampered with.
	ErrUndecided = errors.New("verification undecided")
	// ErrTooLarge: an event is over a size limit. Its [InvalidEventError] names
	// the field.
	ErrTooLarge = errors.New("too large")
	// ErrNoOrganization: an operation that is scoped by organization was given
	// none.
	ErrNoOrganization = errors.New("organization is empty")
)

// An InvalidEventError tells which field makes an event invalid. Trying again
// with the same event gives the same error.
type InvalidEventError struct {
	// Field is the JSON name of the field, such as "timestamp" or
	// "sessionContext.ipAddress", or empty when the text is not an event at all.
	Field string
	// Err says what is wrong with it.
	Err error
}

func (e *InvalidEventError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("monitor: invalid event: %v", e.Err)
	}
	return fmt.Sprintf("monitor: invalid event: field %q: %v", e.Field, e.Err)
}

func (e *InvalidEventError) Unwrap() error { return e.Err }

func invalid(field, format string, args ...any) error {
	return &InvalidEventError{Field: field, Err: fmt.Errorf(format, args...)}
}

// A PanicError is a panic of a detector, a verifier, a handler or a runner that
// the monitor recovered.
type PanicError struct {
	// Where names the port, such as "detector rules".
	Where string
	// Value is what was passed to panic.
	Value any
	// Stack is the stack of the panicking goroutine.
	Stack []byte
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("monitor: %s panicked: %v", e.Where, e.Value)
}

// Unwrap returns the panic's value if that was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// recovered makes an error of what a port's panic was recovered with.
func recovered(where string, v any) error {
	return &PanicError{Where: where, Value: v, Stack: debug.Stack()}
}
