package monitor

import "time"

// A MetricsSnapshot holds the data of all metrics at one time.
type MetricsSnapshot struct {
	// Timestamp is when the snapshot was taken.
	Timestamp time.Time
	// Metrics has data for every metric of [AllMetrics].
	Metrics map[Metric]MetricData
}

// MetricData is the data that was recorded for one metric.
type MetricData struct {
	// Value is the total of a counter, the last value of a gauge, or the number
	// of observations of a histogram.
	Value int64
	// Distribution holds the observations of a histogram. Other kinds have none.
	Distribution Distribution
	// ByAttribute holds the data for each value of the metric's attribute.
	// Measurements without an attribute only count toward the total.
	ByAttribute map[string]MetricData
}

// Add adds part to the total. If attribute is not empty, Add also sets
// ByAttribute[attribute] to part, which must not be set yet.
func (d *MetricData) Add(attribute string, part MetricData) {
	d.Value += part.Value
	d.Distribution.Merge(part.Distribution)
	if attribute == "" {
		return
	}
	if d.ByAttribute == nil {
		d.ByAttribute = map[string]MetricData{}
	}
	d.ByAttribute[attribute] = part
}

// Value returns the [MetricData.Value] of a metric.
func (s *MetricsSnapshot) Value(m Metric) int64 { return s.Metrics[m].Value }

// ErrorRate returns [Errors] divided by [EventsProcessed], or 0 if that is 0.
func (s *MetricsSnapshot) ErrorRate() float64 {
	if s.Value(EventsProcessed) == 0 {
		return 0
	}
	return float64(s.Value(Errors)) / float64(s.Value(EventsProcessed))
}
