package detect_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// largest returns an event of which every text is as large as may be, and a part of
// one line of many times that size. Events with other numbers have nothing in common.
func largest(number int) *monitor.Event {
	var line strings.Builder
	text := func(size int) string {
		from := line.Len()
		fmt.Fprintf(&line, "%08d", number)
		line.WriteString(strings.Repeat("x", size-8))
		return line.String()[from:]
	}
	line.Grow(1 << 17)
	return &monitor.Event{
		OrganizationID: text(monitor.MaxOrganizationSize), PrincipalID: text(monitor.MaxFieldSize),
		ID: text(monitor.MaxFieldSize), TargetResourceID: text(monitor.MaxFieldSize),
		Action: "x", Status: monitor.StatusSuccess, Timestamp: noon,
	}
}

// TestLargestEvents sends the largest events through rules of every kind: none of
// what is kept of them takes more memory than that of small ones. It measures the
// heap and so is not parallel.
func TestLargestEvents(t *testing.T) { //nolint:paralleltest // it measures the heap
	const groups = 3000
	tr := newTrail(t, &detect.Options{MaxKeys: groups, Rules: []detect.Rule{
		{Name: "count", Match: any1, Threshold: 3, Window: time.Hour},
		{Name: "values", Match: any1, Distinct: target, Threshold: 3, Window: time.Hour},
		{Name: "steps", Window: time.Hour, Sequence: []detect.Step{{Match: any1}, {Match: any1}, {Match: any1}}},
	}})
	send := func(n int) {
		e := largest(n)
		detectOne(tr.engine, e, monitor.Arrival{OrganizationID: e.OrganizationID, Sequence: uint64(n + 1), Watermark: noon})
	}
	for i := range 100 {
		send(i)
	}
	before := liveHeap()
	for i := range 2 * groups {
		send(i)
	}
	each := (float64(liveHeap()) - float64(before)) / (3 * groups)
	t.Logf("%.0f bytes a group", each)
	if each > 1500 {
		t.Errorf("%.0f bytes a group", each)
	}
	runtime.KeepAlive(tr)
}

// TestRestoreLongNames restores windows of principals and organizations with long names:
// findings name them in full.
func TestRestoreLongNames(t *testing.T) {
	t.Parallel()
	for _, size := range []int{39, 40, 55, 56, 1000} {
		name := strings.Repeat("x", size-1)
		send := func(tr *trail, last string) []monitor.Finding {
			e := at(0, "x", name+last)
			e.OrganizationID = name + last
			return tr.add(e)
		}
		o := &detect.Options{Rules: []detect.Rule{{Name: "r", Match: any1, Threshold: 3, Window: time.Hour}}}
		tr := newTrail(t, o)
		for range 2 {
			send(tr, "a")
			send(tr, "b")
		}
		again := newTrail(t, o)
		check.NoError(t, "restore", again.engine.Restore(bytes.NewReader(snapshot(t, tr.engine))))
		check.NoError(t, "restore", again.engine.Restore(bytes.NewReader(snapshot(t, again.engine))))
		again.sequence = 100
		wantLines(t, send(again, "a"), fmt.Sprintf("r %sa/%sa 3 +0s", name, name))
		wantLines(t, send(again, "c"))
		check.Equal(t, "groups", again.engine.Stats()[0].Keys, 3)
	}
}

// TestReportReleasesEvents keeps the report of a back-test, and not the events. It
// measures the heap and so is not parallel.
func TestReportReleasesEvents(t *testing.T) { //nolint:paralleltest // it measures the heap
	const events = 300
	before := liveHeap()
	report, err := detect.Backtest(t.Context(), &detect.BacktestOptions{Rules: &detect.Options{Rules: []detect.Rule{
		{Name: "r", Match: any1, GroupBy: detect.ByResource, Threshold: 1, Window: time.Hour},
	}}}, func(yield func(*monitor.Event) bool) {
		for i := range events {
			if !yield(largest(i)) {
				return
			}
		}
	})
	check.NoError(t, "back-test", err)
	check.Equal(t, "findings", len(report.Findings), events)
	if each := (liveHeap() - before) / events; each > 32<<10 {
		t.Errorf("%d bytes a finding", each)
	}
	runtime.KeepAlive(report)
}
