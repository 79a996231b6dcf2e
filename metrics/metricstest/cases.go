package metricstest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"sync"
	"time"

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
	if m.Values != [monitor.MetricCount]int64{} {
		p.Errorf("a new collector has values: %v", m.Values)
	}
	if m.Latency != (monitor.LatencySummary{}) {
		p.Errorf("a new collector has latency: %+v", m.Latency)
	}
	if len(m.ByAttribute) != 0 {
		p.Errorf("a new collector has attributes: %v", m.ByAttribute)
	}
	if m.Timestamp.IsZero() {
		p.Errorf("the snapshot has no timestamp")
	}
}

func testCounters(p *probe) {
	for i := range monitor.MetricCount {
		if metric := monitor.Metric(i); metric.Kind() == monitor.KindCounter {
			p.record(metric, int64(i)+1, "")
			p.record(metric, 100, "")
		}
	}
	m := p.snapshot()
	for i := range monitor.MetricCount {
		if metric := monitor.Metric(i); metric.Kind() == monitor.KindCounter {
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
	// 1 µs to 10 ms in a scattered order: 7919 is prime, so that every step is
	// taken once.
	const n = 10_000
	for i := range int64(n) {
		step := i*7919%n + 1
		p.record(monitor.ProcessingLatency, step*int64(time.Microsecond), "")
	}
	m := p.snapshot()
	p.wantValue(&m, monitor.ProcessingLatency, n)
	if m.Latency.Count != n {
		p.Errorf("latency count = %d, want %d", m.Latency.Count, n)
	}
	for _, c := range []struct {
		name      string
		got, want time.Duration
	}{
		{"mean", m.Latency.Mean, 5000*time.Microsecond + 500*time.Nanosecond},
		{"p50", m.Latency.P50, 5000 * time.Microsecond},
		{"p95", m.Latency.P95, 9500 * time.Microsecond},
		{"p99", m.Latency.P99, 9900 * time.Microsecond},
		{"max", m.Latency.Max, 10_000 * time.Microsecond},
	} {
		if off := math.Abs(float64(c.got-c.want)) / float64(c.want); off > Tolerance {
			p.Errorf("latency %s = %v, want %v: off by %.1f %%", c.name, c.got, c.want, 100*off)
		}
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
	if got := m.ByAttribute[monitor.AlertsCreated]; !maps.Equal(got, want) {
		p.Errorf("alerts_created by attribute = %v, want %v", got, want)
	}
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
	if got := len(m.ByAttribute[monitor.StateEvictions]); got != metrics.MaxAttributes+1 {
		p.Errorf("%d attributes are kept, want %d and %q", got, metrics.MaxAttributes, metrics.OtherAttribute)
	}
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
	for _, parts := range before.ByAttribute {
		clear(parts)
	}
	after := p.snapshot()
	p.wantAttribute(&after, monitor.Verifications, "verified", 2)
}

// testExtremeMeasurements has a duration of a clock that was set back, the
// longest one, and a metric of a later version.
func testExtremeMeasurements(p *probe) {
	p.record(monitor.ProcessingLatency, -5, "")
	p.record(monitor.ProcessingLatency, math.MaxInt64, "")
	p.record(monitor.Metric(monitor.MetricCount), 1, "")
	p.record(monitor.Metric(math.MaxUint8), 1, "later")
	m := p.snapshot()
	p.wantValue(&m, monitor.ProcessingLatency, 2)
	if l := m.Latency; min(l.Mean, l.P50, l.P95, l.P99, l.Max) < 0 {
		p.Errorf("latency is negative: %+v", l)
	}
	m.Values[monitor.ProcessingLatency] = 0
	if m.Values != [monitor.MetricCount]int64{} {
		p.Errorf("unknown metrics were counted: %v", m.Values)
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
	for range recorders {
		recording.Go(func() {
			for i := range each {
				p.record(monitor.EventsProcessed, 1, "")
				p.record(monitor.SuspiciousPatterns, 1, rules[i%len(rules)])
				p.record(monitor.ProcessingLatency, int64(i), "")
				p.record(monitor.Errors, 1, fmt.Sprintf("kind-%d", i/20)) // often a new one
			}
		})
	}
	done := make(chan struct{})
	go func() {
		recording.Wait()
		close(done)
	}()
	defer func() { <-done }()

	check := func(m, last *monitor.Metrics) {
		p.Helper()
		var sum int64
		for _, n := range m.ByAttribute[monitor.SuspiciousPatterns] {
			sum += n
		}
		p.wantValue(m, monitor.SuspiciousPatterns, sum)
		for i := range m.Values {
			if m.Values[i] < last.Values[i] {
				p.Errorf("%s fell from %d to %d", monitor.Metric(i), last.Values[i], m.Values[i])
			}
		}
	}
	var last monitor.Metrics
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		m := p.peek(p.Context())
		check(&m, &last)
		last = m
	}
	m := p.snapshot()
	check(&m, &last)
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
	if m.Latency != (monitor.LatencySummary{}) {
		p.Errorf("latency after Reset = %+v", m.Latency)
	}

	recordAll()
	m = p.snapshot()
	p.wantValue(&m, monitor.EventsProcessed, 3)
	p.wantValue(&m, monitor.AlertsCreated, 4)
	p.wantValue(&m, monitor.ProcessingLatency, 1)
}
