package monitor

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// The errors that a caller can act on. Test for them with [errors.Is].
var (
	// ErrNotFound means that the organization has no alert with that ID.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that another caller changed the same alert or settings first,
	// or is processing the same event. Read them again, or try again later.
	ErrConflict = errors.New("conflict")
	// ErrClosed means that the monitor was shut down.
	ErrClosed = errors.New("the monitor was shut down")
	// ErrOverloaded means that the queue is full. Try again later.
	ErrOverloaded = errors.New("overloaded")
	// ErrUndecided means that the event could not be verified, for example because a
	// key service did not answer. The event was neither accepted nor reported as
	// tampered with. Try again later.
	ErrUndecided = errors.New("verification undecided")
	// ErrTooLarge means that an event exceeds a size limit. The
	// [InvalidEventError] that wraps it names the field.
	ErrTooLarge = errors.New("too large")
	// ErrNoOrganization means that a required organization is empty.
	ErrNoOrganization = errors.New("organization is empty")
	// ErrPermanent is matched by every error that the same input causes again: an
	// [InvalidEventError], an [InvalidOccurrenceError], a [PanicError], an
	// alerting.InvalidError. A port that returns an error which wraps it is not given
	// the same input again.
	ErrPermanent = errors.New("permanent")
)

var errNil = errors.New("it is nil")

// An InvalidEventError names the field that makes an event invalid. Processing the
// same event again gives the same error.
type InvalidEventError struct {
	// Field is the JSON name of the field, such as "timestamp" or
	// "sessionContext.ipAddress", or empty when the text is not an event at all.
	Field string
	// Err says what is wrong with the field or the text.
	Err error
}

func (e *InvalidEventError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("monitor: invalid event: %v", e.Err)
	}
	return fmt.Sprintf("monitor: invalid event: field %q: %v", e.Field, e.Err)
}

func (e *InvalidEventError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrPermanent].
func (e *InvalidEventError) Is(target error) bool { return target == ErrPermanent }

func invalid(field, format string, args ...any) error {
	return &InvalidEventError{Field: field, Err: fmt.Errorf(format, args...)}
}

// An InvalidOccurrenceError names the field that makes an occurrence impossible to
// store. Storing the same occurrence again gives the same error.
type InvalidOccurrenceError struct {
	// Field is the name of the field in [Occurrence], such as "FirstSeen" or
	// "Finding.Severity".
	Field string
	// Err says what is wrong with the field.
	Err error
}

func (e *InvalidOccurrenceError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("monitor: invalid occurrence: %v", e.Err)
	}
	return fmt.Sprintf("monitor: invalid occurrence: %s: %v", e.Field, e.Err)
}

func (e *InvalidOccurrenceError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrPermanent].
func (e *InvalidOccurrenceError) Is(target error) bool { return target == ErrPermanent }

// A PanicError reports that a port panicked: a detector, a verifier, a store, a
// runner or a notifier. The panic was recovered.
type PanicError struct {
	// Where names the port that panicked, such as "detector rules".
	Where string
	// Value is what was passed to panic.
	Value any
	// Stack is the stack of the panicking goroutine.
	Stack []byte
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("monitor: %s panicked: %v", e.Where, e.Value)
}

// Unwrap returns Value if it is an error, and nil otherwise.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Is reports whether target is [ErrPermanent]: a port that panicked is not given the
// same input again.
func (e *PanicError) Is(target error) bool { return target == ErrPermanent }

// recovered makes an error of what a port's panic was recovered with.
func recovered(where string, v any) error {
	return &PanicError{Where: where, Value: v, Stack: debug.Stack()}
}
