package metrics

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Report is a short form of a snapshot, to be written as JSON. Where its names
// come from is in docs/compatibility.md. The [monitor.MetricsSnapshot] has more.
type Report struct {
	// Timestamp is when the snapshot was taken.
	Timestamp         time.Time `json:"timestamp"`
	EventsProcessed   int64     `json:"eventsProcessed"`
	ProcessingLatency Latency   `json:"processingLatency"`
	QueueDepth        int64     `json:"queueDepth"`
	ErrorsGenerated   int64     `json:"errorsGenerated"`
	// ErrorRate is errors per processed event.
	ErrorRate              float64       `json:"errorRate"`
	IntegrityVerifications Verifications `json:"integrityVerifications"`
	IntegrityViolations    int64         `json:"integrityViolations"`
	SuspiciousPatterns     int64         `json:"suspiciousPatterns"`
	AlertsGenerated        int64         `json:"alertsGenerated"`
}

// Latency summarizes durations in milliseconds.
type Latency struct {
	Average float64 `json:"average"`
	P50     float64 `json:"p50"`
	P95     float64 `json:"p95"`
	P99     float64 `json:"p99"`
}

// Verifications counts verifications by outcome. Those that are in Total alone
// could not be decided yet.
type Verifications struct {
	Total  int64 `json:"total"`
	Passed int64 `json:"passed"`
	Failed int64 `json:"failed"`
}

// NewReport returns the report on a snapshot.
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
