// Package metrics holds what collectors of metrics share: a [Histogram] of
// durations, [Fanout] to several collectors, [Discard], and the flat [Report]
// of a snapshot.
//
// The measurements themselves, and the port that takes them, are in package
// monitor: [monitor.Metric], [monitor.MetricsCollector]. Collectors are in the
// packages below this one; memmetrics needs nothing but memory.
package metrics

// Attributes come from the host's configuration. So that a mistake there cannot
// take all memory, a collector keeps at most MaxAttributes of them for a metric
// and counts the rest under OtherAttribute.
const (
	MaxAttributes  = 1024
	OtherAttribute = "other"
)
