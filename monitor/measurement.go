package monitor

// A Measurement is one value that is recorded for a metric.
type Measurement struct {
	Metric Metric
	// Value is added to a counter, replaces the value of a gauge, or is added to a
	// histogram as an observation. Durations are in nanoseconds.
	Value int64
	// Attribute is the value of the attribute that [MetricDescription.Attribute]
	// names. It comes from the configuration, never from an event.
	Attribute string
}
