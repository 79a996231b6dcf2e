package redismetrics

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// split returns the parts of a metric by attribute, with what was recorded
// without one under the empty attribute.
func split(all monitor.MetricData) map[string]monitor.MetricData {
	parts := map[string]monitor.MetricData{}
	plain := all
	for attribute, part := range all.ByAttribute {
		parts[attribute] = part
		plain = beyond(plain, part)
	}
	plain.ByAttribute = nil
	parts[""] = plain
	return parts
}

// beyond returns what data has beyond a part of it.
func beyond(data, part monitor.MetricData) monitor.MetricData {
	counted := make(map[time.Duration]int64, len(part.Distribution.Buckets))
	for _, b := range part.Distribution.Buckets {
		counted[b.Lower] = b.Count
	}
	d := data.Distribution
	rest := monitor.Distribution{Sum: d.Sum - part.Distribution.Sum}
	for _, b := range d.Buckets {
		if b.Count -= counted[b.Lower]; b.Count != 0 {
			rest.Buckets = append(rest.Buckets, b)
		}
	}
	if d.Max != part.Distribution.Max {
		rest.Max = d.Max
	}
	return monitor.MetricData{Value: data.Value - part.Value, Distribution: rest}
}
