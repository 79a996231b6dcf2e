package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// ruleset is a detector whose only rule is about one action.
type ruleset struct {
	name, action string
	fail         error // of the first call
}

func (r *ruleset) Name() string { return r.name }

func (r *ruleset) Detect(_ context.Context, e *monitor.Event, rep *monitor.Reporter) error {
	if e.Action != r.action {
		rep.NoMatch()
	}
	if err := r.fail; err != nil {
		r.fail = nil
		return err
	}
	return nil
}

func withAction(action string, i int) *monitor.Event {
	e := newEvent("", time.Duration(i)*time.Second)
	e.Action = action
	return e
}

func processAll(t *testing.T, m *monitor.Monitor, es ...*monitor.Event) {
	t.Helper()
	for _, e := range es {
		_, err := m.Process(t.Context(), e)
		check.NoError(t, "process", err)
	}
}

// TestUnmatched pins which events no rule is about: those for which every detector
// says so.
func TestUnmatched(t *testing.T) {
	t.Parallel()
	known, other := &ruleset{name: "known", action: "a"}, &ruleset{name: "other", action: "b"}
	for name, test := range map[string]struct {
		detectors []monitor.Detector
		want      []monitor.ActionCount
	}{
		"no detector":                  {nil, nil},
		"one":                          {[]monitor.Detector{known}, []monitor.ActionCount{{Action: "c", Count: 2}, {Action: "b", Count: 1}}},
		"two":                          {[]monitor.Detector{known, other}, []monitor.ActionCount{{Action: "c", Count: 2}}},
		"one that has no rules beside": {[]monitor.Detector{known, &detector{name: "plain", trigger: "never"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counts := &counters{}
			m := newMonitor(t, func(c *monitor.Config) { c.Detectors, c.Metrics = test.detectors, counts })
			processAll(t, m, withAction("a", 1), withAction("b", 2), withAction("c", 3))
			_, err := m.ProcessBatch(t.Context(), deliveries(withAction("a", 4), withAction("c", 5)))
			check.NoError(t, "batch", err)
			check.Equal(t, "unmatched", m.Stats(), monitor.Stats{Unmatched: test.want})
			total := int64(0)
			for _, c := range test.want {
				total += c.Count
			}
			check.Equal(t, "metric", counts.get("events_unmatched"), total)
		})
	}
}

func TestUnmatchedIsCountedOnce(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors = []monitor.Detector{&ruleset{name: "first"}, &ruleset{name: "second", fail: errors.New("away")}}
	})
	e := newEvent("e-1", 0)
	_, err := m.Process(t.Context(), e)
	check.Equal(t, "failed", err != nil, true)
	check.Equal(t, "before it is judged", m.Stats(), monitor.Stats{})
	processAll(t, m, e, e)
	check.Equal(t, "unmatched", m.Stats(), monitor.Stats{Unmatched: []monitor.ActionCount{{Action: "data.read", Count: 1}}})
}

func TestUnmatchedIsBounded(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{&ruleset{name: "rules"}} })
	long := strings.Repeat("x", monitor.MaxFieldSize)
	processAll(t, m, withAction(long, 0))
	for i := range 300 {
		processAll(t, m, withAction(fmt.Sprint("action-", i), i+1))
	}
	processAll(t, m, withAction("action-7", 400))
	s := m.Stats()
	check.Equal(t, "actions", len(s.Unmatched), 256)
	check.Equal(t, "the most frequent", s.Unmatched[0], monitor.ActionCount{Action: "action-7", Count: 2})
	check.Equal(t, "the long one", s.Unmatched[255], monitor.ActionCount{Action: long[:128], Count: 1})
	check.Equal(t, "others", s.UnmatchedOthers, int64(45))
}

// TestUnmatchedTogether pins that no event is lost while several calls meet new
// actions at the same time.
func TestUnmatchedTogether(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{&ruleset{name: "rules"}} })
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			for i := range 600 {
				if _, err := m.Process(t.Context(), withAction(fmt.Sprint("action-", i%300), i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	calls.Wait()
	s := m.Stats()
	total := s.UnmatchedOthers
	for _, c := range s.Unmatched {
		total += c.Count
	}
	check.Equal(t, "actions", len(s.Unmatched), 256)
	check.Equal(t, "events", total, 4*600)
}

// TestUnmatchedWarning pins the one warning that a service gets whose actions are
// not those of its rules.
func TestUnmatchedWarning(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors = []monitor.Detector{&ruleset{name: "rules", action: "a"}}
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	for i := range 999 {
		processAll(t, m, withAction([]string{"user\nlogin", "page.view", "page.view"}[i%3], i), withAction("a", i))
	}
	check.Equal(t, "before", log.String(), "")
	for i := range 1100 {
		processAll(t, m, withAction("page.view", 1000+i))
	}
	check.Equal(t, "warnings", strings.Count(log.String(), "level=WARN"), 1)
	for _, text := range []string{"docs/events.md", "events=1000", `actions="page.view (667), user login (333)"`} {
		check.Equal(t, text, strings.Contains(log.String(), text), true)
	}
}
