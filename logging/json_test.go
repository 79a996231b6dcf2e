package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/logging"
)

var recordTime = time.Date(2023, 10, 26, 10, 30, 0, 123_000_000, time.UTC)

// record returns a record at recordTime.
func record(level slog.Level, message string, args ...any) slog.Record {
	r := slog.NewRecord(recordTime, level, message, 0)
	r.Add(args...)
	return r
}

// write returns what the handler made by newHandler writes for a record.
func write(ctx context.Context, t *testing.T, newHandler newHandler, o *logging.Options, r slog.Record) string {
	t.Helper()
	var out bytes.Buffer
	check.NoError(t, "handle record", newHandler(&out, o).Handle(ctx, r))
	return out.String()
}

// TestJSONHandlerContract runs the tests that every slog handler passes; the
// attributes are looked for in the context.
func TestJSONHandlerContract(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return logging.NewJSONHandler(&out, nil)
	}, func(t *testing.T) map[string]any {
		var fields map[string]any
		if err := json.Unmarshal(out.Bytes(), &fields); err != nil {
			t.Fatalf("%v in %s", err, out.Bytes())
		}
		result := fields["context"].(map[string]any)
		for from, to := range map[string]string{"time": slog.TimeKey, "level": slog.LevelKey, "message": slog.MessageKey} {
			if v, ok := fields[from]; ok {
				result[to] = v
			}
		}
		return result
	})
}

func TestJSONHandlerRecord(t *testing.T) {
	t.Parallel()
	options := &logging.Options{
		Environment: "production", Application: "api", Module: "store", Version: "1.4.0",
		TraceIDs: func(context.Context) (string, string) { return "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331" },
	}
	ctx := logging.WithRequestID(t.Context(), "r-1")
	for name, test := range map[string]struct {
		ctx     context.Context
		options *logging.Options
		record  slog.Record
		want    string
	}{
		"full": {ctx, options, record(slog.LevelWarn, "slow", "ms", 1500, "ok", true),
			`{"type":"log","environment":"production","application":"api","module":"store","version":"1.4.0",` +
				`"requestId":"r-1","time":1698316200123,"level":"warn","message":"slow",` +
				`"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","context":{"ms":1500,"ok":true}}`},
		"least": {t.Context(), nil, slog.NewRecord(time.Time{}, slog.LevelInfo, "", 0),
			`{"type":"log","environment":"","application":"","module":"","version":"","level":"info","message":"","context":{}}`},
		"fields named as those of the record": {t.Context(), &logging.Options{},
			record(slog.LevelInfo, "m", "level", "fatal", "message", "x", "type", "y", "context", "z"),
			`{"type":"log","environment":"","application":"","module":"","version":"","time":1698316200123,` +
				`"level":"info","message":"m","context":{"level":"fatal","message":"x","type":"y","context":"z"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := write(test.ctx, t, newJSON, test.options, test.record); got != test.want+"\n" {
				t.Errorf("got  %swant %s", got, test.want)
			}
		})
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level]string{
		-8: "debug", slog.LevelDebug: "debug", -1: "debug", slog.LevelInfo: "info", 3: "info", slog.LevelWarn: "warn",
		slog.LevelError: "error", 11: "error", logging.LevelFatal: "fatal", 100: "fatal",
	} {
		if got := write(t.Context(), t, newJSON, nil, record(level, "m")); !strings.Contains(got, `"level":"`+want+`"`) {
			t.Errorf("level %d: got %s, want %s", level, got, want)
		}
	}

	var level slog.LevelVar
	level.Set(slog.LevelWarn)
	var out bytes.Buffer
	logger := slog.New(logging.NewJSONHandler(&out, &logging.Options{Level: &level}))
	logger.Info("hidden")
	logger.Warn("shown")
	level.Set(slog.LevelDebug)
	logger.Debug("shown too")
	if got := strings.Count(out.String(), "\n"); got != 2 || strings.Contains(out.String(), "hidden") {
		t.Errorf("got %s", out.String())
	}
	if logging.NewJSONHandler(&out, nil).Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debug is on by default")
	}
}

type point struct {
	X, Y int
	note string
}

type tagged struct {
	point
	*Label  `json:"label"`
	Renamed string `json:"renamed,omitempty"`
	Skipped string `json:"-"`
	Any     any
}

// Label is embedded.
type Label struct{ Name string }

// Anonymous is embedded without a name.
type Anonymous struct{ Inner int }

type embedding struct {
	*Anonymous
	Outer int
}

// key is a text for encoding/json, in spite of its method.
type key string

func (key) MarshalText() ([]byte, error) { return []byte("method"), nil }

type textual int

func (v textual) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "text %d", v), nil }

type raw struct{ text string }

func (v raw) MarshalJSON() ([]byte, error) {
	if v.text == "" {
		return nil, errors.New("nothing")
	}
	return []byte(v.text), nil
}

type valuer struct{ value slog.Value }

func (v valuer) LogValue() slog.Value { return v.value }

type endless struct{}

func (v endless) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("a", v), slog.Any("", v), slog.Any("b", v))
}

type failing struct{}

func (failing) Error() string { panic("no text") }

type node struct {
	Next *node
	Name string
}

func TestValues(t *testing.T) {
	t.Parallel()
	ring := &node{Name: "ring"}
	ring.Next = ring
	cyclic := map[string]any{}
	cyclic["self"] = []any{cyclic, cyclic}
	var nilError *failing
	for name, test := range map[string]struct {
		value any
		want  string // the JSON of the value, or its start
	}{
		"string":            {"a\"\\\n\r\t\x00\x1b\x7f\u009b\u2028\u202e\xff</é😀\U000e0001", `"a\"\\\n\r\t\u0000\u001b\u007f\u009b\u2028\u202e\ufffd</é😀\udb40\udc01"`},
		"nil":               {nil, `null`},
		"int":               {int8(-3), `-3`},
		"uint":              {uint64(math.MaxUint64), `18446744073709551615`},
		"float":             {1.5e300, `1.5e+300`},
		"not a number":      {math.NaN(), `"NaN"`},
		"infinities":        {[]float64{math.Inf(-1), 2}, `["-Inf",2]`},
		"duration":          {1500 * time.Millisecond, `"1.5s"`},
		"time":              {recordTime, `"2023-10-26T10:30:00.123Z"`},
		"nested numbers":    {[]any{-64500, uint(64500), 64500.5}, `[-64500,64500,64500.5]`},
		"nested times":      {[]any{time.Second, recordTime}, `["1s","2023-10-26T10:30:00.123Z"]`},
		"error":             {fmt.Errorf("outer: %w", errors.New("inner")), `"outer: inner"`},
		"errors":            {map[string]error{"a": errors.New("b"), "c": nil}, `{"a":"b","c":null}`},
		"nil error":         {error(nilError), `null`},
		"error that panics": {failing{}, `"!PANIC: no text"`},
		"bytes":             {[]byte("text"), `"text"`},
		"binary":            {[]byte{0xff, 0, 1}, `"[3 bytes]"`},
		"number":            {json.Number("1.50"), `1.50`},
		"no number":         {json.Number("1,\n\"x\":2"), `"1,\n\"x\":2"`},
		"empty number":      {json.Number(""), `""`},
		"text":              {textual(7), `"text 7"`},
		"map keys":          {map[any]any{textual(1): 1, 2: 2, "c": 3}, `{"2":2,"c":3,"text 1":1}`},
		"nil map":           {map[string]int(nil), `null`},
		"nil slice":         {[]int(nil), `null`},
		"array":             {[2]bool{true}, `[true,false]`},
		"struct": {tagged{point: point{X: 1, Y: 2, note: "n"}, Renamed: "r", Skipped: "s", Any: Label{"l"}},
			`{"Any":{"Name":"l"},"X":1,"Y":2,"label":null,"renamed":"r"}`},
		"embedded pointer":    {embedding{&Anonymous{1}, 2}, `{"Inner":1,"Outer":2}`},
		"map with text keys":  {map[key]int{"a": 1}, `{"a":1}`},
		"pointers":            {&tagged{Label: &Label{"l"}}, `{"Any":null,"X":0,"Y":0,"label":{"Name":"l"},"renamed":""}`},
		"own JSON":            {raw{`{"b":[1e400, null],"a":"\u0041"}`}, `{"a":"A","b":[1e400,null]}`},
		"own JSON that fails": {raw{}, `"json: error calling MarshalJSON`},
		"group":               {slog.GroupValue(slog.Int("a", 1), slog.Group("b"), slog.Group("", slog.Int("c", 2)), slog.Int("a", 3)), `{"a":3,"c":2}`},
		"groups of one name":  {slog.GroupValue(slog.Group("g", "a", 1, "b", 2), slog.Group("g", "b", 3), slog.Int("n", 1)), `{"g":{"a":1,"b":3},"n":1}`},
		"valuer in a map":     {map[string]any{"v": valuer{slog.GroupValue(slog.Int("a", 1), slog.Group("g", "d", time.Second))}}, `{"v":{"a":1,"g":{"d":"1s"}}}`},
		"value in a map":      {map[string]any{"v": slog.StringValue("x")}, `{"v":"x"}`},
		"function":            {func() {}, `"func()"`},
		"complex":             {1i, `"complex128"`},
		"ring":                {ring, `{"Name":"ring","Next":{"Name":"ring"`},
		"cyclic map":          {cyclic, `{"self":[{"self":[`},
		"endless groups":      {endless{}, `{`},
		"huge":                {make([]int, 1_000_000), `[0,0,0`},
		"huge map":            {hugeMap(), `{"...":"..."`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := write(t.Context(), t, newJSON, nil, record(slog.LevelInfo, "m", "k", test.value))
			_, got, _ := strings.Cut(line, `"context":{"k":`)
			if !strings.HasPrefix(got, test.want) {
				t.Errorf("got %.200s, want %s", got, test.want)
			}
			if !json.Valid([]byte(line)) || strings.Count(line, "\n") != 1 || len(line) > 1<<20 {
				t.Errorf("not a line of JSON within bounds: %.200s", line)
			}
			write(t.Context(), t, newConsole, nil, record(slog.LevelInfo, "m", "k", test.value))
		})
	}
}

// TestGroupsOfValuers logs values that turn out to be groups.
func TestGroupsOfValuers(t *testing.T) {
	t.Parallel()
	line := write(t.Context(), t, newJSON, nil, record(slog.LevelInfo, "m",
		"empty", valuer{slog.GroupValue()}, slog.Any("", valuer{slog.GroupValue(slog.Int("a", 1))}), "b", 2))
	_, got, _ := strings.Cut(line, `"context":`)
	check.Equal(t, "context", got, `{"a":1,"b":2}}`+"\n")
}

func hugeMap() map[int]int {
	m := make(map[int]int)
	for i := range 20_000 {
		m[i] = i
	}
	return m
}

// countingWriter counts the calls of Write and is not safe for concurrent use.
type countingWriter struct {
	calls int
	bytes.Buffer
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.calls++
	return w.Buffer.Write(p)
}

func TestConcurrentRecordsAreWhole(t *testing.T) {
	t.Parallel()
	for name, newHandler := range map[string]newHandler{"json": newJSON, "console": newConsole} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const goroutines, each = 8, 50
			var out countingWriter
			base := slog.New(newHandler(&out, nil))
			var group sync.WaitGroup
			for i := range goroutines {
				group.Go(func() {
					logger := base.With("worker", i).WithGroup("g")
					for j := range each {
						logger.Info("step", "j", j, "text", strings.Repeat("x", j))
					}
				})
			}
			group.Wait()
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(lines) != goroutines*each || out.calls != goroutines*each {
				t.Errorf("%d lines in %d writes, want %d", len(lines), out.calls, goroutines*each)
			}
			for _, line := range lines {
				if !strings.Contains(line, "step") || strings.Count(line, "worker") != 1 {
					t.Errorf("broken line %s", line)
				}
			}
		})
	}
}

// TestDerivedHandlersAreApart derives two handlers from one.
func TestDerivedHandlersAreApart(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	base := slog.New(logging.NewJSONHandler(&out, nil)).With("a", 1).With("b", 2).With("c", 3)
	first, second := base.With("d", 4), base.With("e", 5)
	first.Info("m")
	second.Info("m")
	for _, want := range []string{`{"a":1,"b":2,"c":3,"d":4}`, `{"a":1,"b":2,"c":3,"e":5}`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s lacks %s", out.String(), want)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

var errBroken = errors.New("broken")

func TestHandleReturnsTheWritersError(t *testing.T) {
	t.Parallel()
	err := logging.NewJSONHandler(brokenWriter{}, nil).Handle(t.Context(), record(slog.LevelInfo, "m"))
	if !errors.Is(err, errBroken) {
		t.Errorf("got error %v", err)
	}
}

func BenchmarkHandler(b *testing.B) {
	ctx := logging.WithRequestID(b.Context(), "r-1")
	for _, bench := range []struct {
		name    string
		handler slog.Handler
	}{
		{"json", logging.NewJSONHandler(discard{}, nil)},
		{"console", logging.NewConsoleHandler(discard{}, nil)},
		{"slog", slog.NewJSONHandler(discard{}, nil)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			logger := slog.New(bench.handler).With("service", "api")
			b.ReportAllocs()
			for b.Loop() {
				logger.LogAttrs(ctx, slog.LevelInfo, "request handled", slog.String("method", "GET"),
					slog.String("path", "/v1/alerts"), slog.Int("status", 200), slog.Duration("took", time.Millisecond))
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
