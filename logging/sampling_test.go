package logging_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/logging"
)

func TestSamplingHandlerContract(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return logging.NewSamplingHandler(slog.NewJSONHandler(&out, nil), nil)
	}, func(t *testing.T) map[string]any {
		var result map[string]any
		check.NoError(t, "decode", json.Unmarshal(out.Bytes(), &result))
		return result
	})
}

func TestSampling(t *testing.T) {
	t.Parallel()
	type step struct {
		after   time.Duration // since the first
		level   slog.Level
		message string
		pass    bool
		dropped int // reported by the record
	}
	const info, warn = slog.LevelInfo, slog.LevelWarn
	for name, test := range map[string]struct {
		options *logging.SamplingOptions
		steps   []step
		dropped uint64
	}{
		"first and every third": {&logging.SamplingOptions{First: 2, Thereafter: 3}, []step{
			{0, info, "a", true, 0}, {1, info, "a", true, 0}, {2, info, "a", false, 0}, {3, info, "a", false, 0},
			{4, info, "a", true, 2}, {5, info, "a", false, 0}, {6, info, "a", false, 0}, {7, info, "a", true, 2},
		}, 4},
		"levels and messages are apart": {&logging.SamplingOptions{First: 1, Thereafter: -1}, []step{
			{0, info, "a", true, 0}, {0, info, "a", false, 0}, {0, info, "b", true, 1}, {0, warn, "a", true, 0},
			{0, warn, "a", false, 0}, {0, info, "b", false, 0},
		}, 3},
		"interval": {&logging.SamplingOptions{First: 1, Thereafter: -1, Interval: time.Minute}, []step{
			{0, info, "a", true, 0}, {time.Minute - 1, info, "a", false, 0}, {time.Minute, info, "a", true, 1},
			{time.Minute, info, "a", false, 0}, {2*time.Minute - 1, info, "a", false, 0}, {2 * time.Minute, info, "a", true, 2},
		}, 3},
		"overtaken": {&logging.SamplingOptions{First: 1, Thereafter: -1}, []step{
			{time.Second, info, "a", true, 0}, {1, info, "a", false, 0}, {time.Second, info, "a", false, 0},
		}, 2},
		"clock set back": {&logging.SamplingOptions{First: 1, Thereafter: -1}, []step{
			{time.Hour, info, "a", true, 0}, {0, info, "a", true, 0}, {1, info, "a", false, 0},
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			h := logging.NewSamplingHandler(slog.NewTextHandler(&out, nil), test.options)
			for i, s := range test.steps {
				out.Reset()
				r := slog.NewRecord(recordTime.Add(s.after), s.level, s.message, 0)
				check.NoError(t, "handle record", h.Handle(t.Context(), r))
				if got := out.Len() > 0; got != s.pass {
					t.Errorf("step %d: passed is %t", i, got)
				}
				if got, want := strings.Contains(out.String(), "dropped"), s.dropped > 0; got != want {
					t.Errorf("step %d: got %s", i, out.String())
				}
				if s.dropped > 0 && !strings.Contains(out.String(), fmt.Sprintf(" dropped=%d\n", s.dropped)) {
					t.Errorf("step %d: got %s, want dropped=%d", i, out.String(), s.dropped)
				}
			}
			if h.Dropped() != test.dropped {
				t.Errorf("dropped %d, want %d", h.Dropped(), test.dropped)
			}
		})
	}
}

func TestSamplingDefaults(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := logging.NewSamplingHandler(slog.NewTextHandler(&out, nil), nil)
	for range 10 + 250 + 49 {
		check.NoError(t, "handle record", h.Handle(t.Context(), record(slog.LevelInfo, "m")))
	}
	if got := strings.Count(out.String(), "\n"); got != 12 || h.Dropped() != 297 {
		t.Errorf("%d passed and %d were dropped, want 12 and 297", got, h.Dropped())
	}
	check.NoError(t, "handle record", h.Handle(t.Context(), record(slog.LevelInfo, "m")))
	check.Equal(t, "passed after 10 and 3 hundreds", strings.Count(out.String(), "\n"), 13)
}

// TestSamplingLeavesRecordsAlone hands over a record twice that has room for more
// attributes.
func TestSamplingLeavesRecordsAlone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := logging.NewSamplingHandler(slog.NewTextHandler(&out, nil), &logging.SamplingOptions{First: 2, Thereafter: -1})
	r := record(slog.LevelInfo, "m", "a", 1, "b", 2, "c", 3, "d", 4, "e", 5)
	r.Add("f", 6) // behind those that a record holds itself
	r.Add("g", 7)
	r.Add("h", 8)
	for range 2 {
		for range 3 {
			check.NoError(t, "handle record", h.Handle(t.Context(), record(slog.LevelInfo, "dropped")))
		}
		check.NoError(t, "handle record", h.Handle(t.Context(), r))
	}
	if got := out.String(); strings.Contains(got, "BUG") || strings.Count(got, " dropped=") != 2 {
		t.Errorf("got %s", got)
	}
}

// TestSamplingManyMessages logs more messages than are told apart.
func TestSamplingManyMessages(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := logging.NewSamplingHandler(slog.NewTextHandler(&out, nil), &logging.SamplingOptions{First: 1, Thereafter: -1})
	for i := range 5000 {
		check.NoError(t, "handle record", h.Handle(t.Context(), record(slog.LevelInfo, fmt.Sprint("message ", i))))
	}
	if got := strings.Count(out.String(), "\n"); got != 1025 || h.Dropped() != 5000-1025 {
		t.Errorf("%d passed and %d were dropped", got, h.Dropped())
	}
}

func TestSamplingIsShared(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := logging.NewSamplingHandler(logging.NewJSONHandler(&out, nil), &logging.SamplingOptions{First: 5, Thereafter: -1, Interval: time.Hour})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			logger := slog.New(h).With("worker", i).WithGroup("g")
			for range 100 {
				logger.Info("m")
			}
		})
	}
	group.Wait()
	if got := strings.Count(out.String(), "\n"); got != 5 || h.Dropped() != 395 {
		t.Errorf("%d passed and %d were dropped, want 5 and 395", got, h.Dropped())
	}
	if h.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debug is on, and off in the next handler")
	}
}
