// Package logging provides three handlers for [log/slog]: one writes records as
// lines of JSON, one writes lines for people, and one samples repeated records.
//
//	level := new(slog.LevelVar) // may be changed at any time
//	logger := slog.New(logging.NewJSONHandler(os.Stdout, &logging.Options{
//		Level:       level,
//		Environment: "production",
//		Application: "api",
//		Version:     "1.4.0",
//	}))
//
// The two handlers that write records
//
//   - remove secrets from messages, attributes and errors, at any depth
//     ([Redactor]),
//   - add the ID of the request from the context ([WithRequestID]) and the IDs
//     of its trace and span ([Options.TraceIDs]),
//   - escape control characters and all other characters that are not printable,
//     so that a value can neither start a new line nor control a terminal,
//   - write an error as its text, truncate a value that is cyclic or too large,
//     and recover from a value that panics,
//   - write each record with a single call of Write, and never call Write
//     concurrently.
//
// A redactor only removes the secrets that it recognizes, by their names and their
// forms; [Redactor] says which, and which not. It cannot recognize a secret in free
// text that has neither, so do not log secrets. In testdata there are the lines by
// which it is measured.
package logging
