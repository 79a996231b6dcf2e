package metrics

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Report is a short form of a [monitor.MetricsSnapshot] for JSON. The counts are
// totals since the collector started. ErrorsGenerated is the value of
// [monitor.Errors], and AlertsGenerated of [monitor.AlertsCreated]. The file
// docs/compatibility.md explains the names.
type Report struct {
	// Timestamp is when the snapshot was taken.
	Timestamp         time.Time `json:"timestamp"`
	EventsProcessed   int64     `json:"eventsProcessed"`
	ProcessingLatency Latency   `json:"processingLatency"`
	QueueDepth        int64     `json:"queueDepth"`
	ErrorsGenerated   int64     `json:"errorsGenerated"`
	// ErrorRate is ErrorsGenerated divided by EventsProcessed.
	ErrorRate              float64       `json:"errorRate"`
	IntegrityVerifications Verifications `json:"integrityVerifications"`
	IntegrityViolations    int64         `json:"integrityViolations"`
	SuspiciousPatterns     int64         `json:"suspiciousPatterns"`
	AlertsGenerated        int64         `json:"alertsGenerated"`
}

// Latency contains the mean and percentiles of durations, in milliseconds.
type Latency struct {
	Average float64 `json:"average"`
	P50     float64 `json:"p50"`
	P95     float64 `json:"p95"`
	P99     float64 `json:"p99"`
}

// Verifications counts verifications by result. Total also includes those that are
// neither Passed nor Failed, because they could not be decided.
type Verifications struct {
	Total  int64 `json:"total"`
	Passed int64 `json:"passed"`
	Failed int64 `json:"failed"`
}

// NewReport returns the report for a snapshot.
func NewReport(m *monitor.MetricsSnapshot) Report {
	latency := m.Metrics[monitor.ProcessingLatency].Distribution
	total := m.Value(monitor.Verifications)
	failed := m.Value(monitor.IntegrityViolations)
	return Report{
		Timestamp:       m.Timestamp,
		EventsProcessed: m.Value(monitor.EventsProcessed),
		ProcessingLatency: Latency{
			Average: milliseconds(latency.Mean()),
			P50:     milliseconds(latency.Quantile(0.50)),
			P95:     milliseconds(latency.Quantile(0.95)),
			P99:     milliseconds(latency.Quantile(0.99)),
		},
		QueueDepth:      m.Value(monitor.QueueDepth),
		ErrorsGenerated: m.Value(monitor.Errors),
		ErrorRate:       m.ErrorRate(),
		IntegrityVerifications: Verifications{
			Total:  total,
			Passed: max(0, total-failed-m.Value(monitor.EventsUndecided)),
			Failed: failed,
		},
		IntegrityViolations: failed,
		SuspiciousPatterns:  m.Value(monitor.SuspiciousPatterns),
		AlertsGenerated:     m.Value(monitor.AlertsCreated),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
