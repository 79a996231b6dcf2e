package monitor

import "slices"

// A Metric is one of the metrics of the library. A collector must ignore a Metric
// that it does not know.
type Metric uint8

// A MetricDescription describes a metric for a collector or an exporter.
type MetricDescription struct {
	// Name is unique and in snake case.
	Name string
	Kind MetricKind
	// Unit is written as in OpenTelemetry (UCUM): "s", "{event}". A metric whose
	// unit is "s" is recorded in nanoseconds.
	Unit string
	// Attribute is the name of the metric's attribute (label), such as "rule" or
	// "verdict". It is empty if the metric has none.
	Attribute string
	// Values lists the values that the attribute can have. It is nil if they are
	// names from the configuration, such as the names of rules or routes.
	Values []string
	// Shared is set for a gauge that describes a store which several instances share.
	// All instances report the same value, so do not add these values up.
	Shared bool
	// Help describes the metric in one sentence.
	Help string
}

// MetricKind says how a collector combines the values of a metric.
type MetricKind uint8

const (
	// MetricCounter is the sum of its values.
	MetricCounter MetricKind = iota
	// MetricGauge is the last of its values.
	MetricGauge
	// MetricHistogram is the distribution of its values, which are durations.
	MetricHistogram
)

var metricKindNames = [...]string{"counter", "gauge", "histogram"}

// String returns the kind in lower case.
func (k MetricKind) String() string { return name(metricKindNames[:], k) }

// metricDescriptions is the table of all metrics. It does not change after the
// package is initialized.
var metricDescriptions []MetricDescription

// AllMetrics returns every metric. The index of a metric in this slice is
// int(metric), so a collector can store its data in a slice of the same length.
func AllMetrics() []Metric {
	all := make([]Metric, len(metricDescriptions))
	for i := range all {
		all[i] = Metric(i)
	}
	return all
}

// Description returns the description, or an empty one for an unknown metric.
func (m Metric) Description() MetricDescription {
	if int(m) >= len(metricDescriptions) {
		return MetricDescription{}
	}
	d := metricDescriptions[m]
	d.Values = slices.Clone(d.Values)
	return d
}

// String returns the metric's name.
func (m Metric) String() string {
	if int(m) >= len(metricDescriptions) {
		return name(nil, m)
	}
	return metricDescriptions[m].Name
}
