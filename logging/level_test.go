package logging_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/logging"
)

func TestLevelFatal(t *testing.T) {
	t.Parallel()
	check.Equal(t, "fatal", logging.LevelFatal, slog.Level(12))
}

func TestLevelFromEnv(t *testing.T) {
	for value, want := range map[string]slog.Level{
		"": slog.LevelInfo, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
		"Error": slog.LevelError, "FATAL": logging.LevelFatal,
	} {
		t.Setenv("LOG_LEVEL", value)
		if got, err := logging.LevelFromEnv(); err != nil || got != want {
			t.Errorf("LOG_LEVEL=%s: got %v, error %v; want %v", value, got, err, want)
		}
	}
	for _, value := range []string{"verbose", " info", "warning", "0"} {
		t.Setenv("LOG_LEVEL", value)
		got, err := logging.LevelFromEnv()
		if err == nil || !strings.Contains(err.Error(), "LOG_LEVEL") || got != slog.LevelInfo {
			t.Errorf("LOG_LEVEL=%s: got %v, error %v; want info and an error", value, got, err)
		}
	}
}
