package monitor_test

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

type spanKey struct{}

// tracer notes what it is told.
type tracer struct {
	log    []string
	stages monitor.Stages
}

func (tr *tracer) TraceProcessStart(ctx context.Context, data monitor.TraceProcessStart) context.Context {
	tr.log = append(tr.log, list("start:", ids(data.Deliveries)))
	return context.WithValue(ctx, spanKey{}, "process")
}

func (tr *tracer) TraceStoreStart(ctx context.Context, data monitor.TraceStoreStart) context.Context {
	tr.log = append(tr.log, list("store:", len(data.Occurrences), ":", ctx.Value(spanKey{})))
	for _, o := range data.Occurrences {
		o.TraceID[0], o.SpanID[0] = 1, 2
	}
	return context.WithValue(ctx, spanKey{}, "store")
}

func (tr *tracer) TraceProcessEnd(ctx context.Context, data monitor.TraceProcessEnd) {
	tr.log = append(tr.log, list("end:", ids(data.Deliveries), ":", ctx.Value(spanKey{})))
	for _, r := range data.Results {
		tr.log = append(tr.log, list(r.State, ":", len(r.Findings), ":", r.Err != nil))
	}
	tr.stages = data.Stages
}

func ids(ds []monitor.Delivery) string {
	var all []string
	for _, d := range ds {
		if d.Event == nil {
			all = append(all, "none")
		} else {
			all = append(all, d.Event.ID)
		}
	}
	return strings.Join(all, ",")
}

func TestTracerSeesEveryCall(t *testing.T) {
	t.Parallel()
	tr, s := &tracer{}, &store{}
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors = []monitor.Detector{&detector{name: "read", trigger: "data.read"}}
		c.Alerts, c.Tracer = s, tr
	})
	told := func(want string) {
		t.Helper()
		check.Equal(t, "told", strings.Join(tr.log, " "), want)
		tr.log = nil
	}
	quiet := newEvent("quiet", 0)
	quiet.Action = "data.list"
	process(t, m, quiet)
	told("start:quiet end:quiet:process done:0:false")

	process(t, m, newEvent("loud", 0))
	told("start:loud store:1:process end:loud:store done:1:false")
	check.Equal(t, "trace of the alert", s.list()[0].TraceID.String(), "01"+strings.Repeat("0", 30))
	check.Equal(t, "span of the alert", s.list()[0].SpanID.String(), "02"+strings.Repeat("0", 14))

	if _, err := m.ProcessBatch(t.Context(), deliveries(newEvent("a", 0), nil, quiet)); err == nil {
		t.Error("no error")
	}
	told("start:a,none,quiet store:1:process end:a,none,quiet:store done:1:false rejected:0:true done:0:false")

	s.setFail(errDown)
	if _, err := m.Process(t.Context(), newEvent("b", 0)); err == nil {
		t.Error("no error")
	}
	told("start:b store:1:process end:b:store retry:1:true")
}

// slow is a verifier, a detector and a store that take their time.
type slow struct{ store }

func (*slow) Verify(context.Context, *monitor.Event) monitor.Verification {
	advance(time.Second)
	return monitor.Verification{}
}

func (*slow) Name() string { return "slow" }

func (*slow) Detect(ctx context.Context, e *monitor.Event, r *monitor.Reporter) error {
	advance(10 * time.Second)
	return (&detector{name: "slow", trigger: "data.read"}).Detect(ctx, e, r)
}

func (s *slow) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	advance(100 * time.Second)
	return s.store.StoreOccurrences(ctx, os)
}

func TestStages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr, s := &tracer{}, &slow{}
		configure := func(c *monitor.Config) {
			c.AllowUnverified, c.Verifier = false, s
			c.Detectors, c.Alerts = []monitor.Detector{s}, s
		}
		traced := newMonitor(t, func(c *monitor.Config) { configure(c); c.Tracer = tr })
		wantStages := func(what string, got monitor.Stages, start time.Time, detected, stored time.Duration) {
			t.Helper()
			check.Equal(t, what, got, monitor.Stages{
				Start: start, Verified: start.Add(time.Second), Detected: start.Add(detected), End: start.Add(stored),
			})
		}
		start := time.Now()
		r := process(t, traced, newEvent("loud", 0))
		wantStages("traced", tr.stages, start, 11*time.Second, 111*time.Second)
		check.Equal(t, "not asked for", r.Stages, (*monitor.Stages)(nil))

		quiet := newEvent("quiet", 0)
		quiet.Action = "data.list"
		start = time.Now()
		process(t, traced, quiet)
		wantStages("nothing to store", tr.stages, start, 11*time.Second, 11*time.Second)

		reported := newMonitor(t, func(c *monitor.Config) { configure(c); c.ReportStages = true })
		start = time.Now()
		wantStages("reported", *process(t, reported, newEvent("loud", 0)).Stages, start, 11*time.Second, 111*time.Second)
	})
}

func TestIDsInHex(t *testing.T) {
	t.Parallel()
	var trace monitor.TraceID
	check.NoError(t, "trace", trace.UnmarshalText([]byte(strings.Repeat("ab", 16))))
	check.Equal(t, "trace", trace.String(), strings.Repeat("ab", 16))
	var span monitor.SpanID
	check.NoError(t, "span", span.UnmarshalText([]byte(strings.Repeat("cd", 8))))
	check.Equal(t, "span", span.String(), strings.Repeat("cd", 8))
	for _, bad := range []string{"", "ab", strings.Repeat("ab", 17), strings.Repeat("xy", 16), hex.EncodeToString(trace[:15])} {
		if trace.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is no trace ID", bad)
		}
	}
}
