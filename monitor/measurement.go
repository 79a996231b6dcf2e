package monitor

import (
	"context"
	"time"
)

// A MetricsCollector counts. Record must not block, must not fail its caller
// and must be safe for concurrent use.
type MetricsCollector interface {
	Record(ctx context.Context, m Measurement)
}

// A Measurement is one thing counted or observed.
type Measurement struct {
	Metric Metric
	// Value is added to a counter, observed by a histogram (nanoseconds) or
	// stored in a gauge.
	Value int64
	// Attribute divides some metrics: the rule, verdict or reason. Its values
	// come from the configuration, never from an event.
	Attribute string
}

// Metric names what is measured.
type Metric uint8

// The metrics of the library. Counters unless it says otherwise.
const (
	// EventsProcessed: events handled to the end, duplicates and failed ones
	// included.
	EventsProcessed Metric = iota
	// ProcessingLatency: histogram of the time that an event took, in
	// nanoseconds.
	ProcessingLatency
	// Errors by kind: invalid, detector, handler, panic, ...
	Errors
	// QueueDepth: gauge of the events submitted and not yet handled.
	QueueDepth
	// QuarantineDepth: gauge of the undecided events.
	QuarantineDepth
	// Verifications by verdict.
	Verifications
	// IntegrityViolations by verdict: verifications whose outcome is Failed.
	IntegrityViolations
	// EventsUndecided: verifications whose outcome is Deferred.
	EventsUndecided
	// SuspiciousPatterns by rule: findings that are not in shadow.
	SuspiciousPatterns
	// ShadowFindings by rule.
	ShadowFindings
	// AlertsCreated by rule.
	AlertsCreated
	// AlertsRepeated by rule: occurrences that joined an open alert.
	AlertsRepeated
	// AlertsSuppressed by rule: notifications held back by a suppression window.
	AlertsSuppressed
	// EventsDuplicate: events delivered again within the redelivery horizon.
	EventsDuplicate
	// EventsReplayed: events delivered again beyond it.
	EventsReplayed
	// EventsConflicting: events with a known ID and another content.
	EventsConflicting
	// EventsTooLate: events older than the allowed lateness.
	EventsTooLate
	// EventsFuture: events later than the clock by more than the allowed skew.
	EventsFuture
	// EventsDropped: accepted events that the drop-oldest policy gave up.
	EventsDropped
	// EventsRejected: events that Submit refused because the queue was full.
	EventsRejected
	// Retries: attempts after the first to handle a submitted event.
	Retries
	// StateEvictions by rule: keys dropped by a budget while they were live.
	StateEvictions
	// StateTruncations by rule: events of a key dropped by its cap while they
	// were in the window.
	StateTruncations
	// DuplicatesForgotten: event IDs dropped by the capacity of the duplicate
	// memory.
	DuplicatesForgotten
	// IntegrityAlertsFolded: occurrences of failed verification counted in
	// one with another by the rate cap.
	IntegrityAlertsFolded
	// NotificationsDelivered by route.
	NotificationsDelivered
	// NotificationsFailed by route: attempts.
	NotificationsFailed
	// NotificationsDead by route: dead letters.
	NotificationsDead
	// NotificationsDropped by why: too old to be routed, too many, or for a route
	// that does not take them.
	NotificationsDropped
	// NotificationBacklog: gauge of the notifications that wait.
	NotificationBacklog
	// AlertsEscalated: escalations of alerts that nobody acknowledged.
	AlertsEscalated
	// AlertsAutoResolved: alerts that were quiet for long enough.
	AlertsAutoResolved

	metricCount // number of metrics
)

// MetricCount is the number of metrics; every [Metric] is below it.
const MetricCount = int(metricCount)

var metricNames = [MetricCount]string{
	"events_processed", "processing_latency", "errors", "queue_depth",
	"quarantine_depth", "verifications", "integrity_violations",
	"events_undecided", "suspicious_patterns", "shadow_findings",
	"alerts_created", "alerts_repeated", "alerts_suppressed",
	"events_duplicate", "events_replayed", "events_conflicting",
	"events_too_late", "events_future", "events_dropped", "events_rejected",
	"retries", "state_evictions", "state_truncations", "duplicates_forgotten",
	"integrity_alerts_folded", "notifications_delivered", "notifications_failed",
	"notifications_dead", "notifications_dropped", "notification_backlog",
	"alerts_escalated", "alerts_auto_resolved",
}

// String returns the metric's name in snake case.
func (m Metric) String() string { return name(metricNames[:], m) }

// Kind says how a metric's values combine.
type Kind uint8

// The kinds of metrics.
const (
	KindCounter Kind = iota
	KindGauge
	KindHistogram
)

// Kind returns the metric's kind.
func (m Metric) Kind() Kind {
	switch m {
	case QueueDepth, QuarantineDepth, NotificationBacklog:
		return KindGauge
	case ProcessingLatency:
		return KindHistogram
	default:
		return KindCounter
	}
}

// A Snapshotter can tell what it has counted. It is optional for a
// [MetricsCollector].
type Snapshotter interface {
	Snapshot(ctx context.Context) (Metrics, error)
}

// Metrics is what was counted up to a moment.
type Metrics struct {
	// Timestamp is when the snapshot was taken.
	Timestamp time.Time
	// Values holds every counter's total and every gauge's last value; the
	// histogram's place holds its number of observations.
	Values [MetricCount]int64
	// ByAttribute divides the values of the metrics that have an attribute.
	ByAttribute map[Metric]map[string]int64
	// Latency summarizes ProcessingLatency.
	Latency LatencySummary
}

// LatencySummary is a summary of observed durations. All are 0 without
// observations.
type LatencySummary struct {
	Count               int64
	Mean, P50, P95, P99 time.Duration
	Max                 time.Duration
}

// Value returns a counter's total or a gauge's last value.
func (m *Metrics) Value(metric Metric) int64 { return m.Values[metric] }

// ErrorRate returns errors per processed event, 0 when there was none.
func (m *Metrics) ErrorRate() float64 {
	if m.Values[EventsProcessed] == 0 {
		return 0
	}
	return float64(m.Values[Errors]) / float64(m.Values[EventsProcessed])
}
