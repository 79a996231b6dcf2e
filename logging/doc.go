// Package logging has handlers for [log/slog]: one writes records as lines of
// JSON, one writes lines for people, and one drops most of the records that
// repeat a message.
//
//	level := new(slog.LevelVar) // may be changed at any time
//	logger := slog.New(logging.NewJSONHandler(os.Stdout, &logging.Options{
//		Level:       level,
//		Environment: "production",
//		Application: "api",
//		Version:     "1.4.0",
//	}))
//
// Both writing handlers
//
//   - remove secrets from messages, attributes and errors, at any depth
//     ([Redactor]),
//   - add the ID of the request from the context ([WithRequestID]) and the IDs
//     of its trace and span ([Options.TraceIDs]),
//   - escape control characters and everything else that does not print, so that
//     a value can neither start a line nor control a terminal,
//   - write an error as its text, cut off a value that is cyclic or too large,
//     and survive one that panics,
//   - write each record with a single call of Write, and never two at a time.
//
// A redactor can only remove what it recognizes: a secret in free text, without
// its name or a known form, stays. Do not log secrets.
package logging
