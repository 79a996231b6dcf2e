package monitor

import "time"

// A MetricsSnapshot is what was counted up to a moment.
type MetricsSnapshot struct {
	// Timestamp is when the snapshot was taken.
	Timestamp time.Time
	// Metrics has data for every metric of [AllMetrics].
	Metrics map[Metric]MetricData
}

// MetricData is what was counted of one metric.
type MetricData struct {
	// Value is the total of a counter, the last value of a gauge, or the number
	// of observations of a histogram.
	Value int64
	// Distribution is what a histogram has observed. Other kinds have none.
	Distribution Distribution
	// ByAttribute divides the data by the values of the metric's attribute. What
	// was recorded without one is only in the data as a whole.
	ByAttribute map[string]MetricData
}

// Add adds a part: what was counted with that value of the attribute, or, if the
// value is empty, without one.
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

// Value returns the value of a metric.
func (s *MetricsSnapshot) Value(m Metric) int64 { return s.Metrics[m].Value }

// ErrorRate returns errors per processed event, 0 when there was no event.
func (s *MetricsSnapshot) ErrorRate() float64 {
	if s.Value(EventsProcessed) == 0 {
		return 0
	}
	return float64(s.Value(Errors)) / float64(s.Value(EventsProcessed))
}
