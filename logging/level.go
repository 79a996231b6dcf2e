package logging

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// LevelFatal is the level for an error that ends the program. Logging at this
// level does not end the program.
const LevelFatal = slog.LevelError + 4

// levels are the levels that have names, the lowest first.
var levels = []namedLevel{
	{slog.LevelDebug, "debug", "\x1b[34m"}, // blue
	{slog.LevelInfo, "info", "\x1b[32m"},   // green
	{slog.LevelWarn, "warn", "\x1b[33m"},   // yellow
	{slog.LevelError, "error", "\x1b[31m"}, // red
	{LevelFatal, "fatal", "\x1b[31m"},
}

type namedLevel struct {
	level slog.Level
	name  string
	color string // the escape sequence for it
}

// LevelFromEnv returns the level in the environment variable LOG_LEVEL: debug,
// info, warn, error or fatal, in any case. If the variable is empty or not set, it
// returns info. For any other value, it returns info and an error.
func LevelFromEnv() (slog.Level, error) {
	name := cmp.Or(os.Getenv("LOG_LEVEL"), "info")
	for _, l := range levels {
		if strings.EqualFold(l.name, name) {
			return l.level, nil
		}
	}
	return slog.LevelInfo, fmt.Errorf("logging: read LOG_LEVEL: %.20q is not debug, info, warn, error or fatal", name)
}

// named returns the highest of the five levels that is not higher than this one,
// or the lowest.
func named(level slog.Level) namedLevel {
	i := len(levels) - 1
	for i > 0 && levels[i].level > level {
		i--
	}
	return levels[i]
}
