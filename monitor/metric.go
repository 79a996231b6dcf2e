package monitor

import "slices"

// A Metric is one of the metrics that the library counts. A collector must
// ignore a Metric that it does not know.
type Metric uint8

// A MetricDescription says everything about a metric that a collector or an
// exporter needs to know.
type MetricDescription struct {
	// Name is unique and in snake case.
	Name string
	Kind MetricKind
	// Unit is written as in OpenTelemetry (UCUM): "s", "{event}". A metric whose
	// unit is "s" is recorded in nanoseconds.
	Unit string
	// Attribute is the name of what divides the metric: "rule", "verdict". It is
	// empty if nothing does.
	Attribute string
	// Values lists the values that the attribute can have. It is nil if they are
	// names from the configuration, such as those of rules and routes.
	Values []string
	// Shared is set for a gauge that tells about a store which instances share.
	// All of them report the same, so that it must not be added up.
	Shared bool
	// Help says in one sentence what is counted.
	Help string
}

// MetricKind says how the values of a metric combine.
type MetricKind uint8

const (
	// MetricCounter adds its values up.
	MetricCounter MetricKind = iota
	// MetricGauge keeps its last value.
	MetricGauge
	// MetricHistogram counts its values by size. They are durations.
	MetricHistogram
)

var metricKindNames = [...]string{"counter", "gauge", "histogram"}

// String returns the kind in lower case.
func (k MetricKind) String() string { return name(metricKindNames[:], k) }

// metricDescriptions is the table of all metrics. It does not change after the
// package is initialized.
var metricDescriptions []MetricDescription

func define(d MetricDescription) Metric {
	metricDescriptions = append(metricDescriptions, d)
	return Metric(len(metricDescriptions) - 1)
}

// AllMetrics returns every metric. A collector can keep what belongs to a metric
// at its index in this list, which is int(metric).
func AllMetrics() []Metric {
	all := make([]Metric, len(metricDescriptions))
	for i := range all {
		all[i] = Metric(i)
	}
	return all
}

// Description returns the metric's description. That of an unknown metric is
// empty.
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
