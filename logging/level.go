package logging

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// LevelFatal is the level of a record about an error that ends the program.
// Logging such a record does not end it.
const LevelFatal = slog.LevelError + 4

// LevelFromEnv returns the level that the environment variable LOG_LEVEL names:
// debug, info, warn, error or fatal, in upper or lower case. If the variable is
// not set or is empty, the level is info. For any other value it returns info and
// an error.
func LevelFromEnv() (slog.Level, error) {
	name := os.Getenv("LOG_LEVEL")
	switch strings.ToLower(name) {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	case "fatal":
		return LevelFatal, nil
	default:
		return slog.LevelInfo, fmt.Errorf("logging: read LOG_LEVEL: %.20q is not debug, info, warn, error or fatal", name)
	}
}

// levelName returns the name of the highest of the five levels that is not
// higher than this one.
func levelName(level slog.Level) string {
	switch {
	case level < slog.LevelInfo:
		return "debug"
	case level < slog.LevelWarn:
		return "info"
	case level < slog.LevelError:
		return "warn"
	case level < LevelFatal:
		return "error"
	default:
		return "fatal"
	}
}
