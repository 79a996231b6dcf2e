// Package metrics has what goes with every collector of metrics: [Fanout] to
// several collectors, [Discard], and the short [Report] on a snapshot.
//
// The metrics and the port that takes them are in package monitor:
// [monitor.Metric], [monitor.MetricDescription], [monitor.MetricsCollector]. The
// collectors are in the packages below this one; memmetrics needs nothing but
// memory.
package metrics

// The values of attributes come from the application's configuration. Since a
// mistake there must not exhaust the memory, a collector keeps at most
// MaxAttributes values for a metric and counts the rest under OtherAttribute.
const (
	MaxAttributes  = 1024
	OtherAttribute = "other"
)
