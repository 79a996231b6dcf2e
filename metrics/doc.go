// Package metrics complements all metrics collectors: [Fanout] records with
// several collectors, [Discard] ignores all measurements, and [Report] is a short
// JSON form of a snapshot.
//
// Package monitor defines the metrics and the interface of a collector: see
// [monitor.Metric], [monitor.MetricDescription] and [monitor.MetricsCollector].
// The packages memmetrics and redismetrics contain collectors.
package metrics

// A collector keeps at most MaxAttributes attribute values for each metric, so
// that a configuration mistake cannot exhaust the memory. It records measurements
// with any further value under the value OtherAttribute.
const (
	MaxAttributes  = 1024
	OtherAttribute = "other"
)
