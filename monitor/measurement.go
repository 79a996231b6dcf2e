package monitor

// A Measurement is one thing that was counted or observed.
type Measurement struct {
	Metric Metric
	// Value is added to a counter, stored in a gauge, or observed by a
	// histogram. Durations are in nanoseconds.
	Value int64
	// Attribute is a value of the attribute that [MetricDescription] names. It
	// comes from the configuration, never from an event.
	Attribute string
}
