// Package logging holds handlers for [log/slog]: one that writes JSON lines with
// the reference's record fields, one that writes lines for people, and one that
// thins out repeated lines.
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
//   - take secrets out of messages, attributes and errors at any depth
//     ([Redactor]),
//   - add the request's ID from the context ([WithRequestID]) and the ids of its
//     trace ([Options.TraceIDs]),
//   - escape control characters and whatever else does not print, so that a
//     value can neither begin a line nor steer a terminal,
//   - write an error as its text, and a value that is cyclic, endless or panics
//     as far as it goes,
//   - write each record with one call of Write, of which there is one at a time.
//
// What a redactor cannot recognize, it cannot remove: a secret in free text
// without its name or a known form stays. Do not log secrets.
package logging
