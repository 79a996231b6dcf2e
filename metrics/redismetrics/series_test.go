package redismetrics_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

func wantSeries(tb testing.TB, c *redismetrics.Collector, kind monitor.Kind, name string, want ...redismetrics.Series) {
	tb.Helper()
	got, err := c.Read(tb.Context(), kind, name)
	if err != nil || !reflect.DeepEqual(got, want) {
		tb.Errorf("%s = %+v, error %v, want %+v", name, got, err, want)
	}
}

func label(name, value string) redismetrics.Label {
	return redismetrics.Label{Name: name, Value: value}
}

func labels(all ...redismetrics.Label) []redismetrics.Label { return all }

func TestSeries(t *testing.T) {
	t.Parallel()
	c := newCollector(t, connectURL(t), redismetrics.Options{})
	odd := labels(label("a=b&c", "100%3D"), label("empty", ""), label("", "\x00&="), label("", ""))
	c.Counter("sent", label("to", "webhook")).Add(2)
	c.Counter("sent", label("to", "ntfy")).Add(5)
	c.Counter("sent", label("to", "webhook")).Add(1)
	c.Counter("sent", label("to", "mail")).Add(3)
	c.Counter("sent", odd...).Add(1)
	c.Counter("other name").Add(1)
	c.Gauge("sent", label("to", "webhook")).Set(9)
	c.Gauge("sent", label("to", "webhook")).Set(4)
	c.Gauge("sent").Set(0)
	for range 2 { // at a flush of its own, and when there is nothing new
		wantSeries(t, c, monitor.KindCounter, "sent",
			redismetrics.Series{Labels: labels(label("to", "ntfy")), Value: 5},
			redismetrics.Series{Labels: labels(label("to", "mail")), Value: 3},
			redismetrics.Series{Labels: labels(label("to", "webhook")), Value: 3},
			redismetrics.Series{Labels: odd, Value: 1})
		wantSeries(t, c, monitor.KindGauge, "sent",
			redismetrics.Series{Labels: labels(label("to", "webhook")), Value: 4}, redismetrics.Series{})
		wantSeries(t, c, monitor.KindHistogram, "sent")
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	c := newCollector(t, connectURL(t), redismetrics.Options{})
	slow := c.Histogram("request", label("endpoint", "GET /slow"))
	for i := range 100 {
		d := time.Duration(i+1) * time.Millisecond
		if i%4 == 0 {
			slow.Fail(d)
		} else {
			slow.Observe(d)
		}
	}
	c.Histogram("request", label("endpoint", "GET /fast")).Observe(time.Microsecond)
	got, err := c.Read(t.Context(), monitor.KindHistogram, "request")
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v, want two endpoints", got, err)
	}
	s, l := got[0], got[0].Latency
	if s.Labels[0].Value != "GET /slow" || s.Value != 100 || s.Failures != 25 || s.ErrorRate() != 0.25 {
		t.Errorf("endpoint %+v", s)
	}
	if l.Count != 100 || l.Mean != 50*time.Millisecond+500*time.Microsecond || l.Max != 100*time.Millisecond {
		t.Errorf("latency %+v", l)
	}
	for _, q := range []struct{ got, want time.Duration }{
		{l.P50, 50 * time.Millisecond}, {l.P95, 95 * time.Millisecond}, {l.P99, 99 * time.Millisecond},
	} {
		if q.got < q.want*31/32 || q.got > q.want*33/32 {
			t.Errorf("quantile %v, want about %v", q.got, q.want)
		}
	}
	if got[1].ErrorRate() != 0 || got[1].Value != 1 || (&redismetrics.Series{}).ErrorRate() != 0 {
		t.Errorf("endpoint %+v", got[1])
	}
}

func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	c := newCollector(t, connectURL(t), redismetrics.Options{})
	const excess = 10
	for i := range metrics.MaxAttributes + excess {
		c.Counter("family", label("user", fmt.Sprint(i))).Add(1)
		c.Counter(fmt.Sprint("name", i)).Add(1)
	}
	if c.Counter("family", label("user", "another")) != c.Counter("family", label("user", "one more")) {
		t.Error("memory grows with every label")
	}
	got, err := c.Read(t.Context(), monitor.KindCounter, "family")
	if err != nil || len(got) != metrics.MaxAttributes+1 {
		t.Fatalf("%d series, error %v, want %d", len(got), err, metrics.MaxAttributes+1)
	}
	if most := got[0]; most.Value != excess || most.Labels[0] != label(metrics.OtherAttribute, "") {
		t.Errorf("the rest is %+v, want %d", most, excess)
	}
	wantSeries(t, c, monitor.KindCounter, metrics.OtherAttribute, redismetrics.Series{Value: excess + 1})
}
