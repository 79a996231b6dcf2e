package metricstest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/monitor"
)

var cases = []struct {
	name string
	run  func(*probe)
}{
	{"Empty", testEmpty},
	{"Counters", testCounters},
	{"Gauges", testGauges},
	{"Histogram", testHistogram},
	{"HistogramByAttribute", testHistogramByAttribute},
	{"Attributes", testAttributes},
	{"AttributesBounded", testAttributesBounded},
	{"CanceledContext", testCanceledContext},
	{"SnapshotIsCopy", testSnapshotIsCopy},
	{"ExtremeMeasurements", testExtremeMeasurements},
	{"Concurrent", testConcurrent},
	{"Reset", testReset},
}

func testEmpty(p *probe) {
	m := p.snapshot()
	for _, metric := range monitor.AllMetrics() {
		d, ok := m.Metrics[metric]
		if !ok {
			p.Errorf("the snapshot of a new collector has no %s", metric)
		}
		if d.Value != 0 || d.Distribution.Count() != 0 || d.Distribution.Max != 0 || len(d.ByAttribute) != 0 {
			p.Errorf("%s of a new collector is %+v", metric, d)
		}
	}
	if m.Timestamp.IsZero() {
		p.Errorf("the snapshot has no timestamp")
	}
}

func testCounters(p *probe) {
	for i, metric := range monitor.AllMetrics() {
		if metric.Description().Kind == monitor.MetricCounter {
			p.record(metric, int64(i)+1, "")
			p.record(metric, 100, "")
		}
	}
	m := p.snapshot()
	for i, metric := range monitor.AllMetrics() {
		if metric.Description().Kind == monitor.MetricCounter {
			p.wantValue(&m, metric, int64(i)+101)
		} else {
			p.wantValue(&m, metric, 0)
		}
	}
	p.record(monitor.EventsProcessed, 1, "")
	m = p.snapshot()
	p.wantValue(&m, monitor.EventsProcessed, int64(monitor.EventsProcessed)+102)
}

func testGauges(p *probe) {
	for _, depth := range []int64{7, 12, 3} {
		p.record(monitor.QueueDepth, depth, "")
	}
	p.record(monitor.QuarantineDepth, 5, "")
	m := p.snapshot()
	p.wantValue(&m, monitor.QueueDepth, 3)
	p.wantValue(&m, monitor.QuarantineDepth, 5)
	p.record(monitor.QueueDepth, 0, "")
	m = p.snapshot()
	p.wantValue(&m, monitor.QueueDepth, 0)
	p.wantValue(&m, monitor.QuarantineDepth, 5)
}

func testHistogram(p *probe) {
	const n = 10_000
	observeSteps(p, monitor.ProcessingLatency, "", n, time.Microsecond)
	m := p.snapshot()
	p.wantValue(&m, monitor.ProcessingLatency, n)
	wantSteps(p, m.Metrics[monitor.ProcessingLatency], n, time.Microsecond)
}

// testHistogramByAttribute has two histograms, of which one is divided.
func testHistogramByAttribute(p *probe) {
	observeSteps(p, monitor.ProcessingLatency, "", 10, time.Hour)
	observeSteps(p, monitor.DeliveryDuration, "slack", 1000, time.Second)
	observeSteps(p, monitor.DeliveryDuration, "email", 2000, time.Millisecond)
	p.record(monitor.DeliveryDuration, int64(time.Minute), "")
	m := p.snapshot()
	wantSteps(p, m.Metrics[monitor.ProcessingLatency], 10, time.Hour)
	all := m.Metrics[monitor.DeliveryDuration]
	p.wantValue(&m, monitor.DeliveryDuration, 3001)
	check.Equal(p, "durations of deliveries", all.Distribution.Count(), 3001)
	check.Equal(p, "routes with durations", len(all.ByAttribute), 2)
	wantSteps(p, all.ByAttribute["slack"], 1000, time.Second)
	wantSteps(p, all.ByAttribute["email"], 2000, time.Millisecond)
}

// observeSteps observes 1 to n times step in a scattered order: 7919 is prime, so
// that every step is taken once.
func observeSteps(p *probe, metric monitor.Metric, attribute string, n int64, step time.Duration) {
	for i := range n {
		p.record(metric, (i*7919%n+1)*int64(step), attribute)
	}
}

// wantSteps compares data with what observeSteps has observed.
func wantSteps(p *probe, data monitor.MetricData, n int64, step time.Duration) {
	p.Helper()
	d := data.Distribution
	check.Equal(p, "value", data.Value, n)
	check.Equal(p, "count", d.Count(), n)
	most := time.Duration(n) * step
	for _, c := range []struct {
		name      string
		got, want time.Duration
	}{
		{"mean", d.Mean(), (most + step) / 2},
		{"p50", d.Quantile(0.50), most / 2},
		{"p95", d.Quantile(0.95), time.Duration(math.Ceil(0.95*float64(n))) * step},
		{"p99", d.Quantile(0.99), time.Duration(math.Ceil(0.99*float64(n))) * step},
		{"max", d.Max, most},
	} {
		if off := math.Abs(float64(c.got-c.want)) / float64(c.want); off > Tolerance {
			p.Errorf("%s = %v, want %v: off by %.1f %%", c.name, c.got, c.want, 100*off)
		}
	}
	end := time.Duration(0)
	for _, b := range d.Buckets {
		if b.Lower < end || b.Upper <= b.Lower || b.Count < 0 {
			p.Errorf("bucket %+v behind one that ends at %v", b, end)
		}
		end = b.Upper
	}
}

func testAttributes(p *probe) {
	p.record(monitor.AlertsCreated, 32, metrics.OtherAttribute) // no more than a name here
	p.record(monitor.AlertsCreated, 1, "failed_auth")
	p.record(monitor.AlertsCreated, 2, "off_hours")
	p.record(monitor.AlertsCreated, 4, "failed_auth")
	p.record(monitor.AlertsCreated, 8, "")
	p.record(monitor.Errors, 16, "off_hours")
	m := p.snapshot()
	p.wantValue(&m, monitor.AlertsCreated, 47)
	p.wantValue(&m, monitor.Errors, 16)
	want := map[string]int64{metrics.OtherAttribute: 32, "failed_auth": 5, "off_hours": 2}
	got := map[string]int64{}
	for attribute, data := range m.Metrics[monitor.AlertsCreated].ByAttribute {
		got[attribute] = data.Value
	}
	check.Equal(p, "alerts_created by attribute", got, want)
	p.wantAttribute(&m, monitor.Errors, "off_hours", 16)
}

func testAttributesBounded(p *probe) {
	const excess = 100
	for i := range metrics.MaxAttributes + excess {
		p.record(monitor.StateEvictions, 1, fmt.Sprintf("rule-%d", i))
	}
	p.record(monitor.StateEvictions, 1, "rule-0")
	m := p.snapshot()
	p.wantValue(&m, monitor.StateEvictions, metrics.MaxAttributes+excess+1)
	p.wantAttribute(&m, monitor.StateEvictions, "rule-0", 2)
	p.wantAttribute(&m, monitor.StateEvictions, metrics.OtherAttribute, excess)
	check.Equal(p, "attributes", len(m.Metrics[monitor.StateEvictions].ByAttribute), metrics.MaxAttributes+1)
}

func testCanceledContext(p *probe) {
	ctx, cancel := context.WithCancel(p.Context())
	cancel()
	p.collector.Record(ctx, monitor.Measurement{Metric: monitor.EventsProcessed, Value: 1})
	m := p.snapshot()
	p.wantValue(&m, monitor.EventsProcessed, 1)
}

func testSnapshotIsCopy(p *probe) {
	p.record(monitor.Verifications, 1, "verified")
	before := p.snapshot()
	p.record(monitor.Verifications, 1, "verified")
	p.snapshot()
	p.wantValue(&before, monitor.Verifications, 1)
	p.wantAttribute(&before, monitor.Verifications, "verified", 1)
	for _, data := range before.Metrics {
		clear(data.ByAttribute)
		clear(data.Distribution.Buckets)
	}
	after := p.snapshot()
	p.wantAttribute(&after, monitor.Verifications, "verified", 2)
}

// testExtremeMeasurements has a duration of a clock that was set back, the
// longest one, and a metric of a later version.
func testExtremeMeasurements(p *probe) {
	p.record(monitor.ProcessingLatency, -5, "")
	p.record(monitor.ProcessingLatency, math.MaxInt64, "")
	known := monitor.AllMetrics()
	p.record(monitor.Metric(len(known)), 1, "")
	p.record(monitor.Metric(math.MaxUint8), 1, "later")
	m := p.snapshot()
	p.wantValue(&m, monitor.ProcessingLatency, 2)
	l := m.Metrics[monitor.ProcessingLatency].Distribution
	if min(l.Mean(), l.Quantile(0.50), l.Quantile(0.95), l.Quantile(0.99), l.Max) < 0 {
		p.Errorf("latency is negative: %+v", l)
	}
	for metric, data := range m.Metrics {
		if metric != monitor.ProcessingLatency && (data.Value != 0 || !slices.Contains(known, metric)) {
			p.Errorf("%s, which was not recorded, is %d", metric, data.Value)
		}
	}
}

// testConcurrent records from several goroutines while snapshots are taken:
// none of what is recorded may be lost or counted twice, and no total may
// differ from the sum of its attributes or fall.
func testConcurrent(p *probe) {
	const (
		recorders = 8
		each      = 2000
	)
	rules := []string{"failed_auth", "off_hours", "data_velocity"}
	var recording sync.WaitGroup
	defer recording.Wait()
	var running atomic.Int64
	running.Store(recorders)
	for range recorders {
		recording.Go(func() {
			defer running.Add(-1)
			for i := range each {
				p.record(monitor.EventsProcessed, 1, "")
				p.record(monitor.SuspiciousPatterns, 1, rules[i%len(rules)])
				p.record(monitor.ProcessingLatency, int64(i), "")
				p.record(monitor.Errors, 1, fmt.Sprintf("kind-%d", i/20)) // often a new one
			}
		})
	}

	compare := func(m, last *monitor.MetricsSnapshot) {
		p.Helper()
		var sum int64
		for _, data := range m.Metrics[monitor.SuspiciousPatterns].ByAttribute {
			sum += data.Value
		}
		p.wantValue(m, monitor.SuspiciousPatterns, sum)
		for metric, data := range m.Metrics {
			if before := last.Value(metric); data.Value < before {
				p.Errorf("%s fell from %d to %d", metric, before, data.Value)
			}
		}
	}
	var last monitor.MetricsSnapshot
	for running.Load() > 0 {
		m := p.peek()
		compare(&m, &last)
		last = m
	}
	m := p.snapshot()
	compare(&m, &last)
	p.wantValue(&m, monitor.EventsProcessed, recorders*each)
	p.wantValue(&m, monitor.SuspiciousPatterns, recorders*each)
	p.wantValue(&m, monitor.ProcessingLatency, recorders*each)
	p.wantValue(&m, monitor.Errors, recorders*each)
	for i, rule := range rules {
		p.wantAttribute(&m, monitor.SuspiciousPatterns, rule, recorders*int64((each-i+len(rules)-1)/len(rules)))
	}
}

func testReset(p *probe) {
	resetter, ok := p.collector.(Resetter)
	if !ok {
		p.Logf("the collector has no Reset")
		return
	}
	recordAll := func() {
		p.record(monitor.EventsProcessed, 3, "")
		p.record(monitor.AlertsCreated, 4, "off_hours")
		p.record(monitor.ProcessingLatency, int64(time.Second), "")
	}
	recordAll()
	p.record(monitor.QueueDepth, 5, "")
	p.snapshot()
	resetter.Reset()

	m := p.snapshot()
	p.wantValue(&m, monitor.EventsProcessed, 0)
	p.wantValue(&m, monitor.AlertsCreated, 0)
	p.wantAttribute(&m, monitor.AlertsCreated, "off_hours", 0)
	p.wantValue(&m, monitor.ProcessingLatency, 0)
	p.wantValue(&m, monitor.QueueDepth, 5)
	if d := m.Metrics[monitor.ProcessingLatency].Distribution; d.Count() != 0 || d.Sum != 0 || d.Max != 0 {
		p.Errorf("latency after Reset = %+v", d)
	}

	recordAll()
	m = p.snapshot()
	p.wantValue(&m, monitor.EventsProcessed, 3)
	p.wantValue(&m, monitor.AlertsCreated, 4)
	p.wantValue(&m, monitor.ProcessingLatency, 1)
}
