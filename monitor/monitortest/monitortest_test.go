package monitortest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

func TestNewEvent(t *testing.T) {
	t.Parallel()
	e := monitortest.NewEvent(
		func(e *monitor.Event) { e.Action = "data.export" },
		func(e *monitor.Event) { e.Action += ".csv" },
	)
	if err := e.Validate(); err != nil || e.Action != "data.export.csv" || !e.Timestamp.Equal(monitortest.Time()) {
		t.Errorf("event %+v, error %v", e, err)
	}
	e.Details = map[string]any{"a": 1}
	if other := monitortest.NewEvent(); other.Details != nil || other.Action != "data.read" {
		t.Errorf("events share something: %+v", other)
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	var alerts monitortest.Alerts
	for _, rule := range []string{"failed_auth", "tampered"} {
		_, err := alerts.StoreOccurrences(t.Context(), []*monitor.Occurrence{{Finding: monitor.Finding{Rule: rule}}})
		check.NoError(t, rule, err)
	}
	all := alerts.All()
	if len(all) != 2 || all[0].Finding.Rule != "failed_auth" || all[1].Finding.Rule != "tampered" {
		t.Errorf("alerts %+v", all)
	}
	all[0] = nil
	if alerts.All()[0] == nil {
		t.Error("All hands out its own memory")
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	var metrics monitortest.Metrics
	record := func(metric monitor.Metric, attribute string, values ...int64) {
		for _, v := range values {
			metrics.Record(t.Context(), monitor.Measurement{Metric: metric, Attribute: attribute, Value: v})
		}
	}
	record(monitor.AlertsCreated, "failed_auth", 1, 2)
	record(monitor.AlertsCreated, "off_hours", 5)
	record(monitor.QueueDepth, "", 7, 3)
	record(monitor.ProcessingLatency, "", 1000, 2000)
	for _, tt := range []struct {
		what      string
		got, want int64
	}{
		{"counter", metrics.Value(monitor.AlertsCreated), 8},
		{"gauge", metrics.Value(monitor.QueueDepth), 3},
		{"histogram", metrics.Value(monitor.ProcessingLatency), 2},
		{"nothing", metrics.Value(monitor.Errors), 0},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %d, want %d", tt.what, tt.got, tt.want)
		}
	}
}

func TestRecordersConcurrently(t *testing.T) {
	t.Parallel()
	var alerts monitortest.Alerts
	var metrics monitortest.Metrics
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				metrics.Record(context.Background(), monitor.Measurement{Metric: monitor.Errors, Value: 1})
				if _, err := alerts.StoreOccurrences(context.Background(), []*monitor.Occurrence{{}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n, m := len(alerts.All()), metrics.Value(monitor.Errors); n != 400 || m != 400 {
		t.Errorf("%d alerts, %d errors, want 400 of each", n, m)
	}
}

// recorder is a test that takes note of its errors.
type recorder struct {
	testing.TB
	errors []string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestAssertionsFail(t *testing.T) {
	t.Parallel()
	accepted := monitor.Verification{Verdict: monitor.VerdictVerified}
	failed := monitor.Verification{Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged, Err: errors.New("why")}
	findings := []monitor.Finding{{Rule: "a"}, {Rule: "b"}}
	for name, tt := range map[string]struct {
		assert func(tb testing.TB)
		fails  bool
	}{
		"verdict": {func(tb testing.TB) {
			monitortest.WantVerdict(tb, accepted, monitor.DecisionAccept, monitor.VerdictVerified)
		}, false},
		"failed verdict": {func(tb testing.TB) { monitortest.WantVerdict(tb, failed, monitor.DecisionFail, monitor.VerdictForged) }, false},
		"other outcome":  {func(tb testing.TB) { monitortest.WantVerdict(tb, failed, monitor.DecisionDefer, monitor.VerdictForged) }, true},
		"other verdict": {func(tb testing.TB) {
			monitortest.WantVerdict(tb, accepted, monitor.DecisionAccept, monitor.VerdictHashOnly)
		}, true},
		"failed, no error": {func(tb testing.TB) {
			monitortest.WantVerdict(tb, monitor.Verification{Decision: monitor.DecisionFail}, monitor.DecisionFail, 0)
		}, true},
		"accepted and error": {func(tb testing.TB) { monitortest.WantVerdict(tb, monitor.Verification{Err: errors.New("x")}, 0, 0) }, true},
		"findings":           {func(tb testing.TB) { monitortest.WantFindings(tb, findings, "a", "b") }, false},
		"findings in order":  {func(tb testing.TB) { monitortest.WantFindings(tb, findings, "b", "a") }, true},
		"fewer findings":     {func(tb testing.TB) { monitortest.WantFindings(tb, findings, "a") }, true},
		"none wanted":        {func(tb testing.TB) { monitortest.WantFindings(tb, nil) }, false},
	} {
		r := &recorder{}
		tt.assert(r)
		if (len(r.errors) > 0) != tt.fails {
			t.Errorf("%s: errors %q", name, r.errors)
		}
	}
}
