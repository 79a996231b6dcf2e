package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/slogtest"
	"time"
	"unicode"

	"github.com/auditwarden/auditwarden/logging"
)

type newHandler func(w io.Writer, o *logging.Options) *logging.Handler

var (
	newJSON    newHandler = logging.NewJSONHandler
	newConsole newHandler = logging.NewConsoleHandler
)

// TestConsoleHandlerContract runs the tests that every slog handler passes.
func TestConsoleHandlerContract(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return logging.NewConsoleHandler(&out, nil)
	}, func(*testing.T) map[string]any {
		result := make(map[string]any)
		words := strings.Fields(out.String())
		if _, err := time.Parse(time.RFC3339, words[0]); err == nil {
			result[slog.TimeKey] = words[0]
			words = words[1:]
		}
		result[slog.LevelKey], result[slog.MessageKey] = words[0], words[1]
		for _, pair := range words[2:] {
			key, value, _ := strings.Cut(pair, "=")
			path := strings.Split(key, ".")
			group := result
			for _, name := range path[:len(path)-1] {
				if group[name] == nil {
					group[name] = make(map[string]any)
				}
				group = group[name].(map[string]any)
			}
			group[path[len(path)-1]] = value
		}
		return result
	})
}

func TestConsoleHandlerLine(t *testing.T) {
	t.Parallel()
	ids := func(context.Context) (string, string) { return "t1", "s1" }
	request := logging.WithRequestID(t.Context(), "r 1")
	for name, test := range map[string]struct {
		ctx     context.Context
		options *logging.Options
		record  slog.Record
		want    string
	}{
		"plain": {t.Context(), nil, record(slog.LevelInfo, "two words", "n", 1, "d", time.Second, "w", "word", "f", true),
			`2023-10-26T10:30:00.123Z INFO  two words n=1 d=1s w=word f=true`},
		"ids and module": {request, &logging.Options{Module: "store", TraceIDs: ids}, record(slog.LevelError, "m"),
			`2023-10-26T10:30:00.123Z ERROR store [requestId="r 1" trace_id=t1 span_id=s1] m`},
		"trace only": {t.Context(), &logging.Options{TraceIDs: ids}, record(logging.LevelFatal, "m"),
			`2023-10-26T10:30:00.123Z FATAL [trace_id=t1 span_id=s1] m`},
		"quoted": {t.Context(), nil, record(slog.LevelDebug, "m", "a", "two words", "b", "", "c", `x"y`, "d", "a=b", "e f", 1, "g", `\`),
			`2023-10-26T10:30:00.123Z DEBUG m a="two words" b="" c="x\"y" d="a=b" "e f"=1 g="\\"`},
		"brackets": {t.Context(), nil, record(slog.LevelWarn, "m", "a", "[x", "b", "x]"),
			`2023-10-26T10:30:00.123Z WARN  m a="[x" b="x]"`},
		"nested": {t.Context(), nil, record(slog.LevelWarn, "m", slog.Group("g", "a", 1, slog.Group("h", "b", []any{"x y", 2}))),
			`2023-10-26T10:30:00.123Z WARN  m g.a=1 g.h.b=["x y",2]`},
		"time": {t.Context(), nil, record(slog.LevelWarn, "m", "at", recordTime),
			`2023-10-26T10:30:00.123Z WARN  m at=2023-10-26T10:30:00.123Z`},
		"color": {t.Context(), &logging.Options{Color: true}, record(slog.LevelWarn, "m"),
			"2023-10-26T10:30:00.123Z \x1b[33mWARN\x1b[0m  m"},
		"forged line": {t.Context(), nil, record(slog.LevelInfo, "m\n2023-10-26T10:30:00.123Z ERROR forged\r\x1b[2J\u202e\u009b", "k\n", "v\n"),
			`2023-10-26T10:30:00.123Z INFO  m\u000a2023-10-26T10:30:00.123Z ERROR forged\u000d\u001b[2J\u202e\u009b "k\n"="v\n"`},
		"no time": {t.Context(), nil, slog.NewRecord(time.Time{}, slog.LevelInfo, "m", 0), `INFO  m`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := write(test.ctx, t, newConsole, test.options, test.record); got != test.want+"\n" {
				t.Errorf("got  %swant %s", got, test.want)
			}
		})
	}
}

func TestColorsFollowTheLevel(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level]string{
		slog.LevelDebug: "\x1b[34mDEBUG\x1b[0m", slog.LevelInfo: "\x1b[32mINFO\x1b[0m",
		slog.LevelError: "\x1b[31mERROR\x1b[0m", logging.LevelFatal: "\x1b[31mFATAL\x1b[0m",
	} {
		got := write(t.Context(), t, newConsole, &logging.Options{Color: true}, record(level, "m"))
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

// FuzzLines checks that no text begins a line, steers a terminal or breaks JSON.
func FuzzLines(f *testing.F) {
	f.Add("message", "key", "value")
	f.Add("a\nb\r\x1b[0m", "k=\u2028", "password=\xff\u202e")
	f.Add(`{"token": "x"}`, `"`, `://u:p@h -----BEGIN PRIVATE KEY-----`)
	f.Add("Bearer abcdef1", "", `token=\"a\\\"b`)
	f.Fuzz(func(t *testing.T, message, key, value string) {
		for _, newHandler := range []newHandler{newJSON, newConsole} {
			r := record(slog.LevelInfo, message, key, value, "nested", map[string]string{key: value})
			line, ok := strings.CutSuffix(write(t.Context(), t, newHandler, nil, r), "\n")
			if i := strings.IndexFunc(line, func(r rune) bool { return !strconv.IsPrint(r) || unicode.IsControl(r) }); i >= 0 || !ok {
				t.Fatalf("%q does not print at %d", line, i)
			}
		}
		line := write(t.Context(), t, newJSON, nil, record(slog.LevelInfo, message, key, value))
		var fields struct {
			Level, Message string
			Context        map[string]any
		}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if fields.Level != "info" || len(fields.Context) > 1 {
			t.Fatalf("%s has another level or more than one attribute", line)
		}
	})
}
