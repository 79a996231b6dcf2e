package metrics_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// recorder remembers what it was given.
type recorder struct{ got []monitor.Measurement }

func (r *recorder) Record(_ context.Context, m monitor.Measurement) { r.got = append(r.got, m) }

// worker has background work, which ends with err when ctx or failed does.
type worker struct {
	recorder
	failed chan struct{}
	err    error
	ended  bool
}

func (w *worker) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-w.failed:
	}
	w.ended = true
	return w.err
}

// gauge can tell what it counted and how it is.
type gauge struct {
	metrics.Discard
	depth  int64
	health monitor.ComponentHealth
}

func (g *gauge) Snapshot(context.Context) (monitor.MetricsSnapshot, error) {
	return monitor.MetricsSnapshot{
		Metrics: map[monitor.Metric]monitor.MetricData{monitor.QueueDepth: {Value: g.depth}},
	}, nil
}

func (g *gauge) Health(context.Context) []monitor.ComponentHealth {
	return []monitor.ComponentHealth{g.health}
}

func TestFanoutRecords(t *testing.T) {
	t.Parallel()
	var first, second recorder
	fan := metrics.Fanout(&first, metrics.Discard{}, &second)
	want := []monitor.Measurement{
		{Metric: monitor.Retries, Value: 2},
		{Metric: monitor.Errors, Value: 1, Attribute: "panic"},
	}
	for _, m := range want {
		fan.Record(t.Context(), m)
	}
	check.Equal(t, "recorded by the first", first.got, want)
	check.Equal(t, "recorded by the second", second.got, want)
}

func TestFanoutSnapshot(t *testing.T) {
	t.Parallel()
	m := check.Must(metrics.Fanout(metrics.Discard{}, &gauge{depth: 3}, &gauge{depth: 4}).Snapshot(t.Context()))(t)
	check.Equal(t, "depth", m.Value(monitor.QueueDepth), 3)
	_, err := metrics.Fanout(metrics.Discard{}).Snapshot(t.Context())
	check.ErrorIs(t, "no collector has a snapshot", err, errors.ErrUnsupported)
}

func TestFanoutRunsUntilCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lost := errors.New("last flush failed")
		a, b := &worker{}, &worker{err: lost}
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- metrics.Fanout(a, metrics.Discard{}, b).Run(ctx) }()
		synctest.Wait()
		select {
		case err := <-result:
			t.Fatalf("Run returned %v before it was canceled", err)
		default:
		}
		cancel()
		check.ErrorIs(t, "Run", <-result, lost)
		if !a.ended || !b.ended {
			t.Errorf("ended: %v, %v, want both", a.ended, b.ended)
		}
	})
}

func TestFanoutWithoutRunnersRunsUntilCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- metrics.Fanout(metrics.Discard{}).Run(ctx) }()
		synctest.Wait()
		if len(result) != 0 {
			t.Fatal("Run returned before it was canceled")
		}
		cancel()
		check.NoError(t, "Run", <-result)
	})
}

func TestFanoutStopsAllWhenOneReturns(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	close(ended)
	for _, result := range []error{errors.New("broken"), nil} {
		other := &worker{}
		err := metrics.Fanout(other, &worker{failed: ended, err: result}).Run(t.Context())
		if !errors.Is(err, result) || !other.ended {
			t.Errorf("Run = %v with the other ended: %v, want %v and true", err, other.ended, result)
		}
	}
}

func TestFanoutHealth(t *testing.T) {
	t.Parallel()
	of := func(name string, status monitor.HealthStatus) *gauge {
		return &gauge{health: monitor.ComponentHealth{Name: name, Status: status}}
	}
	fan := metrics.Fanout(
		of("a", monitor.HealthWarning), metrics.Discard{}, of("b", monitor.HealthCritical), metrics.Fanout(of("c", monitor.HealthOK)))
	want := []monitor.ComponentHealth{
		{Name: "a", Status: monitor.HealthWarning}, {Name: "b", Status: monitor.HealthCritical}, {Name: "c"},
	}
	check.Equal(t, "health", fan.Health(t.Context()), want)
	check.Equal(t, "health that no collector reports", metrics.Fanout(metrics.Discard{}).Health(t.Context()), nil)
}
