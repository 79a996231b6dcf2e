package metrics_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestReport(t *testing.T) {
	t.Parallel()
	m := monitor.MetricsSnapshot{
		Timestamp: time.Date(2026, 3, 13, 9, 30, 0, 0, time.UTC),
		Metrics: map[monitor.Metric]monitor.MetricData{monitor.ProcessingLatency: {
			Value: 200,
			Distribution: monitor.Distribution{
				Buckets: []monitor.DistributionBucket{
					{Lower: time.Millisecond, Upper: time.Millisecond + 1, Count: 150},
					{Lower: 2 * time.Millisecond, Upper: 2*time.Millisecond + 1, Count: 44},
					{Lower: 3 * time.Millisecond, Upper: 3*time.Millisecond + 1, Count: 5},
					{Lower: time.Second, Upper: time.Second + 1, Count: 1},
				},
				Sum: 300 * time.Millisecond, // not what the buckets hold
				Max: time.Second,
			},
		}},
	}
	for metric, value := range map[monitor.Metric]int64{
		monitor.EventsProcessed:     200,
		monitor.QueueDepth:          4,
		monitor.Errors:              5,
		monitor.Verifications:       100,
		monitor.IntegrityViolations: 2,
		monitor.EventsUndecided:     3,
		monitor.SuspiciousPatterns:  7,
		monitor.AlertsCreated:       6,
		monitor.AlertsRepeated:      9,
	} {
		m.Metrics[metric] = monitor.MetricData{Value: value}
	}
	const want = `{"timestamp":"2026-03-13T09:30:00Z","eventsProcessed":200,` +
		`"processingLatency":{"average":1.5,"p50":1,"p95":2,"p99":3},` +
		`"queueDepth":4,"errorsGenerated":5,"errorRate":0.025,` +
		`"integrityVerifications":{"total":100,"passed":95,"failed":2},` +
		`"integrityViolations":2,"suspiciousPatterns":7,"alertsGenerated":6}`
	got := check.Must(json.Marshal(metrics.NewReport(&m)))(t)
	check.Equal(t, "report", string(got), want)
}

// TestReportBetweenCounts has a snapshot that saw the failures of verifications
// that it did not see.
func TestReportBetweenCounts(t *testing.T) {
	t.Parallel()
	m := monitor.MetricsSnapshot{Metrics: map[monitor.Metric]monitor.MetricData{monitor.IntegrityViolations: {Value: 1}}}
	check.Equal(t, "passed", metrics.NewReport(&m).IntegrityVerifications.Passed, 0)
}
